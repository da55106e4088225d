import JSON
import SparseCoding
import Vocabulary

/// The `cfg.json` of a SAELens folder, of version 6 or in the flat form of the versions before.
struct SAELensConfiguration {
    /// The file.
    let path: String
    /// The architecture by SAELens's name.
    let kind: String
    /// The architecture by ours.
    let architecture: Architecture
    /// d.
    let width: Int
    /// m.
    let latents: Int
    /// k of a TopK, if it says so.
    let k: Int?
    /// What is done to x.
    let input: InputNormalization
    /// Whether b_dec is subtracted before encoding.
    let subtractsPreBias: Bool
    /// Which latents a TopK keeps.
    let selection: LatentSelection
    /// The hook point.
    let hook: String?
    /// The key that says it.
    let hookKey: String
    /// The language model.
    let modelName: String?
    /// The type that SAELens computes in.
    let dtype: String
    /// The version of SAELens that wrote it, if it says so.
    let version: String?
    /// What else it says.
    let details: JSONObject
    /// What was assumed or left out.
    let remarks: [String]

    /// Keys that decide something.
    private static let usedKeys: Set = [
        "architecture", "d_in", "d_sae", "dtype", "apply_b_dec_to_input", "normalize_activations",
        "reshape_activations", "k", "rescale_acts_by_decoder_norm", "metadata",
    ]

    /// Keys of all versions that decide nothing about what a saved dictionary computes.
    private static let harmlessKeys: Set = ["device", "sae_lens_version", "sae_lens_training_version"]

    /// Keys that decide something in the flat form only.
    private static let usedFlatKeys: Set = [
        "hook_name", "hook_point", "hook_head_index", "hook_point_head_index", "activation_fn", "activation_fn_str",
        "activation_fn_kwargs", "finetuning_scaling_factor", "model_name",
    ]

    /// Reads a file.
    ///
    /// - Throws: `.malformed` for a wrong value, `.refused` for one that cannot be represented.
    init(_ file: ConfigurationFile) throws(ForeignDictionaryError) {
        path = file.path
        let metadata = try file.object("metadata")
        let ownVersion = try metadata?.text("sae_lens_version")
        version = try file.text("sae_lens_version") ?? ownVersion
        let major = version.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
        let isFlat = major < 6
        let namesHook = file["hook_name"] != nil || file["hook_point"] != nil
        let about = isFlat && namesHook ? file : metadata ?? file
        kind = try Self.kind(file, isFlat: isFlat)
        architecture = try Self.architecture(kind, file)
        var remarks: [String] = []

        width = try file.extent("d_in")
        latents = try file.extent("d_sae")
        if let other = try file.whole("d_out"), other != width {
            throw file.refused("d_out", "a dictionary that writes another place than it reads cannot be represented")
        }
        dtype = try Self.dtype(file)
        subtractsPreBias = try file.flag("apply_b_dec_to_input") ?? true
        let input = try Self.input(file, isFlat, &remarks)
        self.input = try Self.recorded(input, metadata, file, &remarks)
        selection = try Self.selection(file, architecture)
        k = try architecture == .topk ? Self.k(file, isFlat) : nil
        try Self.checkPlace(file, about)

        let key = isFlat && about["hook_name"] == nil ? "hook_point" : "hook_name"
        hook = try about.text(key)
        hookKey = about.name(of: key)
        modelName = try about.text("model_name")
        let known = Self.usedKeys.union(isFlat ? Self.usedFlatKeys : [])
        var details = JSONObject([.init(name: "architecture", value: .string(kind))])
        if isFlat {
            details.add(file.details(besides: known.union(Self.harmlessKeys)))
        } else if let metadata {
            details.add(metadata.details(besides: ["hook_name", "model_name"]))
        }
        if isFlat, let version = try file.text("sae_lens_training_version") {
            details["sae_lens_training_version"] = .string(version)
        }
        details["dtype"] = .string(dtype)
        details["normalize_activations"] = file["normalize_activations"]
        self.details = details
        // The flat form holds every setting of a training run, so unknown keys say nothing there.
        if !isFlat, let remark = file.remark(onKeysBesides: known.union(Self.harmlessKeys).union(["d_out"])) {
            remarks.append(remark)
        }
        self.remarks = remarks
    }

    /// The architecture by SAELens's name: in the flat form a TopK is one whose activation function says so.
    private static func kind(_ file: ConfigurationFile, isFlat: Bool) throws(ForeignDictionaryError) -> String {
        let named = try file.text("architecture")
        guard isFlat else {
            guard let named else { throw file.wrong("architecture", expected: "a string") }
            return named
        }
        let key = try file.text("activation_fn") == nil ? "activation_fn_str" : "activation_fn"
        switch try file.text(key) {
        case nil, "relu": return named ?? "standard"
        case "topk": return "topk"
        default: throw file.refused(key, "only relu and topk can be represented")
        }
    }

    private static func architecture(
        _ kind: String, _ file: ConfigurationFile
    ) throws(ForeignDictionaryError) -> Architecture {
        switch kind {
        case "standard": return .vanilla
        case "topk": return .topk
        case "gated": return .gated
        case "jumprelu": return .jumprelu
        case let kind where kind.contains("transcoder"):
            throw file.refused(
                "architecture", "transcoders, which read one place and write another, cannot be represented")
        case "batchtopk", "matryoshka_batchtopk":
            throw file.refused(
                "architecture",
                "it exists in training only; save the inference model with save_inference_model, "
                    + "which makes it a jumprelu")
        default:
            throw file.refused("architecture", "expected standard, topk, gated or jumprelu")
        }
    }

    /// The type that SAELens computes in, float32 if the file does not say.
    ///
    /// - Throws: `.malformed` for any other than the four of floating point.
    static func dtype(_ file: ConfigurationFile) throws(ForeignDictionaryError) -> String {
        guard let said = try file.text("dtype") else { return "float32" }
        let name = said.hasPrefix("torch.") ? String(said.dropFirst(6)) : said
        guard ["float64", "float32", "float16", "bfloat16"].contains(name) else {
            throw file.wrong("dtype", expected: "float32, float16, bfloat16 or float64")
        }
        return name
    }

    private static func input(
        _ file: ConfigurationFile, _ isFlat: Bool, _ remarks: inout [String]
    ) throws(ForeignDictionaryError) -> InputNormalization {
        let key = "normalize_activations"
        let said: String
        if isFlat, case .boolean(let isNormalised)? = file[key] {
            said = isNormalised ? "expected_average_only_in" : "none"
        } else {
            said = try file.text(key) ?? "none"
        }
        switch said {
        case "none": return .none
        case "layer_norm": return .layerNorm(epsilon: 1e-5)
        case "constant_norm_rescale": return .unitNorm
        case "expected_average_only_in":
            remarks.append(
                "\(file.path): normalize_activations expected_average_only_in is not applied, as SAELens does not apply it "
                    + "to a folder that it loads; the dictionary reads activations as they are")
            return .none
        case "covariance_whitening":
            throw file.refused(
                key,
                "the whitening is not part of these weights; save the dictionary again with it folded in "
                    + "(fold_activation_whitening)")
        default:
            throw file.wrong(
                key, expected: "none, layer_norm, constant_norm_rescale or expected_average_only_in")
        }
    }

    /// The input's rule with the epsilon of its own that an export from here records.
    private static func recorded(
        _ input: InputNormalization, _ metadata: ConfigurationFile?, _ file: ConfigurationFile,
        _ remarks: inout [String]
    ) throws(ForeignDictionaryError) -> InputNormalization {
        guard let metadata, metadata[RecordedInput.versionKey] != nil,
            let recorded = try RecordedInput.read(metadata), recorded != input
        else { return input }
        guard recorded.rule == input.rule else {
            throw metadata.wrong(
                RecordedInput.key, expected: "a rule that goes with normalize_activations",
                found: recorded.rule.rawValue.quoted)
        }
        remarks.append(
            "\(file.path): exported by RouteSAE, whose epsilon \(recorded.epsilon ?? 0) of the layer norm is restored; "
                + "SAELens adds \(input.epsilon ?? 0)")
        return recorded
    }

    private static func selection(
        _ file: ConfigurationFile, _ architecture: Architecture
    ) throws(ForeignDictionaryError) -> LatentSelection {
        let rescales = try file.flag("rescale_acts_by_decoder_norm") ?? false
        return rescales && architecture == .topk ? .activationTimesNorm : .activation
    }

    private static func k(_ file: ConfigurationFile, _ isFlat: Bool) throws(ForeignDictionaryError) -> Int? {
        if isFlat, let k = try file.object("activation_fn_kwargs")?.whole("k") { return k }
        return try file.whole("k")
    }

    /// Refuses dictionaries of other places than the residual stream.
    private static func checkPlace(
        _ file: ConfigurationFile, _ about: ConfigurationFile
    ) throws(ForeignDictionaryError) {
        if let shape = try file.text("reshape_activations"), shape != "none" {
            throw file.refused(
                "reshape_activations",
                "it reads the heads of an attention layer; only dictionaries of the residual "
                    + "stream can be imported")
        }
        if case .boolean(true)? = file["finetuning_scaling_factor"] {
            throw file.refused("finetuning_scaling_factor", "activations scaled in finetuning cannot be represented")
        }
        for key in ["hook_head_index", "hook_point_head_index"] where about[key] != nil {
            throw about.refused(key, "it reads one attention head; only the residual stream can be imported")
        }
    }
}
