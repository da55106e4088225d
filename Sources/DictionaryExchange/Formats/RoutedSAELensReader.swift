import JSON
import SparseCoding
import Vocabulary

/// Reads `routed`, the folder of a whole routed dictionary that an export for SAELens has: `cfg.json` of the
/// architecture `routesae`, which `tools/python` registers, and `sae_weights.safetensors`.
///
/// `W_enc [d, m]`, `W_dec [m, d]`, `b_enc [m]`, `b_dec [d]` and `router [layers, d]`, none with anything folded in, and
/// where `k` is null `threshold [1]`;
/// `d_in` is the number of layers times d. The keys say all of a `route`'s configuration.
enum RoutedSAELensReader {
    /// Keys that decide something.
    private static let usedKeys: Set = [
        "architecture", "d_in", "d_sae", "dtype", "apply_b_dec_to_input", "normalize_activations",
        "reshape_activations", "metadata", "k", "layers", "routing", "aggregation", "input_rule", "input_epsilon",
        "input_scale", "keeps_negative", "scales_by_probability",
    ]

    /// Whether a configuration is of this architecture.
    static func recognises(_ file: ConfigurationFile) -> Bool {
        file["architecture"] == .string(SAELensFormat.routedArchitecture)
    }

    /// Reads a folder.
    ///
    /// - Parameter file: its `cfg.json`.
    /// - Throws: `ForeignDictionaryError`, `WeightFileError`.
    static func read(
        _ folder: String, _ file: ConfigurationFile, _ context: ReadingContext
    ) throws -> ForeignDictionary {
        let path = folder + "/sae_weights.safetensors"
        let layers = try layers(file)
        try context.check(layers: layers, in: file.path)
        let (width, m) = (try file.extent("d_in"), try file.extent("d_sae"))
        guard width.isMultiple(of: layers.count) else {
            throw file.wrong("d_in", expected: "a multiple of \(layers.count), the number of layers")
        }
        let d = width / layers.count
        let dtype = try SAELensConfiguration.dtype(file)
        for key in ["normalize_activations", "reshape_activations"] {
            let said = try file.text(key) ?? "none"
            guard said == "none" else { throw file.wrong(key, expected: "none, since input_rule says it") }
        }
        let routing: RoutingMode = try choice("routing", in: file)
        let aggregation: RouterAggregation = try choice("aggregation", in: file)
        let (fidelity, input) = (try fidelity(file, routing), try input(file))
        let subtracts = try file.flag("apply_b_dec_to_input") ?? true
        var tensors = TensorMapping(try SafetensorsWeightFile(path: path))
        let hasThreshold = file["k"] == nil && tensors.has("threshold")
        if hasThreshold { try context.checkNoK("a route with a threshold", in: file.path) }
        let k = hasThreshold ? nil : try context.k(file.whole("k"), in: file.path)
        let metadata = try file.object("metadata")
        if let metadata { try check(metadata, layers) }
        let made = try ForeignDictionary.configuration(at: file.path) { () throws(SparseCodingError) in
            try DictionaryConfiguration(
                architecture: .route, dModel: d, latents: m, k: k, layers: layers, routing: routing,
                aggregation: aggregation, fidelity: fidelity, input: input, subtractsPreBias: subtracts,
                thresholdForm: hasThreshold ? .shared : nil)
        }
        try tensors.take("router", from: "router", [layers.count, d])
        try tensors.take("pre_bias", from: "b_dec", [d])
        try tensors.take("latent_bias", from: "b_enc", [m])
        try tensors.takeTransposed("encoder", from: "W_enc", rows: m, columns: d)
        try tensors.take("decoder", from: "W_dec", [m, d])
        if hasThreshold { try tensors.take("threshold", from: "threshold", [1]) }

        var remarks = SAELensReader.remarks(
            file.path, version: try metadata?.text("sae_lens_version"), dtype: dtype, tensors)
        if let remark = file.remark(onKeysBesides: usedKeys.union(["device"])) { remarks.append(remark) }
        var details = JSONObject([.init(name: "architecture", value: .string(SAELensFormat.routedArchitecture))])
        details.add(metadata?.details(besides: ["model_name"]) ?? [])
        details["dtype"] = .string(dtype)
        return ForeignDictionary(
            format: .saelens, configuration: made, tensors: try tensors.finish("a routed dictionary of RouteSAE"),
            files: [ForeignFile(path: path, role: "weights"), ForeignFile(path: file.path, role: "config")],
            suggestedName: "", modelName: try metadata?.text("model_name"), repository: PathNames(folder).repository,
            hook: nil, details: details, remarks: remarks)
    }

    /// The decoder layers, two or more, in ascending order.
    ///
    /// - Throws: `.malformed`.
    static func layers(_ file: ConfigurationFile) throws(ForeignDictionaryError) -> [Int] {
        let expected = "two or more layer numbers from 0 to 99999, ascending"
        guard case .array(let values)? = file["layers"], (2...100_000).contains(values.count) else {
            throw file.wrong("layers", expected: expected)
        }
        var layers: [Int] = []
        for value in values {
            guard let layer = value.wholeNumber, layer > layers.last ?? -1, layer < 100_000 else {
                let before = layers.last.map { " after \($0)" } ?? ""
                throw file.wrong(
                    "layers", expected: expected, found: "\(ConfigurationFile.shown(value))\(before)")
            }
            layers.append(layer)
        }
        return layers
    }

    private static func choice<Value: RawRepresentable & CaseIterable>(
        _ key: String, in file: ConfigurationFile
    ) throws(ForeignDictionaryError) -> Value where Value.RawValue == String {
        guard let value = try file.text(key).flatMap(Value.init(rawValue:)) else {
            throw file.wrong(key, expected: Value.allCases.map(\.rawValue).joined(separator: " or "))
        }
        return value
    }

    private static func flag(_ key: String, in file: ConfigurationFile) throws(ForeignDictionaryError) -> Bool {
        guard let flag = try file.flag(key) else { throw file.wrong(key, expected: "true or false") }
        return flag
    }

    /// The reference keeps activations below zero and, with hard routing, multiplies a stream by its probability;
    /// corrected dictionaries do neither.
    private static func fidelity(
        _ file: ConfigurationFile, _ routing: RoutingMode
    ) throws(ForeignDictionaryError) -> Fidelity {
        let keepsNegative = try flag("keeps_negative", in: file)
        let expected = keepsNegative && routing == .hard
        guard try flag("scales_by_probability", in: file) == expected else {
            throw file.refused(
                "scales_by_probability",
                "with keeps_negative \(keepsNegative) and \(routing.rawValue) routing only \(expected) can be represented"
            )
        }
        return keepsNegative ? .reference : .corrected
    }

    /// The rule with the number that goes with it; the other number says nothing.
    private static func input(_ file: ConfigurationFile) throws(ForeignDictionaryError) -> InputNormalization {
        let rule: InputRule = try choice("input_rule", in: file)
        let (epsilon, scale) = (try file.number("input_epsilon"), try file.number("input_scale"))
        do throws(SparseCodingError) {
            return try InputNormalization(
                rule, epsilon: rule == .layerNorm ? epsilon : nil, factor: rule == .scale ? scale : nil)
        } catch {
            let isScale = rule == .scale
            throw file.wrong(
                isScale ? "input_scale" : "input_epsilon",
                expected: isScale ? "a finite number above 0" : "a number from 0 to 1")
        }
    }

    /// What is said twice has to agree.
    private static func check(_ metadata: ConfigurationFile, _ layers: [Int]) throws(ForeignDictionaryError) {
        if let architecture = try metadata.text("routesae_architecture"), architecture != Architecture.route.rawValue {
            throw metadata.wrong("routesae_architecture", expected: Architecture.route.rawValue)
        }
        if let said = metadata["routesae_layers"], said != .array(layers.map { .integer($0) }) {
            throw metadata.wrong("routesae_layers", expected: "those of key \"layers\"", found: "others")
        }
        guard let said = metadata["hook_names"] else { return }
        guard case .array(let hooks) = said, hooks.count == layers.count else {
            throw metadata.wrong("hook_names", expected: "\(layers.count) names, one for each layer")
        }
        for (hook, layer) in zip(hooks, layers) {
            guard case .string(let name) = hook, HookPoint(name) == .layer(layer) else {
                throw metadata.wrong(
                    "hook_names", expected: "blocks.\(layer).hook_resid_post for layer \(layer)",
                    found: ConfigurationFile.shown(hook))
            }
        }
    }
}
