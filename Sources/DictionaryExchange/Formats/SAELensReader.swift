import JSON
import Safetensors
import SparseCoding
import Vocabulary

/// Reads a folder that SAELens saved: `cfg.json` and `sae_weights.safetensors`.
///
/// What is done to the weights here is what `SAE.load_from_disk` of SAELens 6.54 does: `W_enc [d, m]`, `W_dec [m, d]`,
/// `b_dec [d]`, and `b_enc [m]` or, gated, `b_gate`, `b_mag` and `r_mag [m]`. A routed dictionary, which is an
/// architecture of ours, has a reader of its own.
enum SAELensReader {
    /// The newest version whose files are known.
    private static let knownVersion = (major: 6, minor: 54)

    /// Reads a folder.
    ///
    /// - Throws: `ForeignDictionaryError`, `WeightFileError`.
    static func read(_ folder: String, _ context: ReadingContext) throws -> ForeignDictionary {
        let file = try ConfigurationFile(path: folder + "/cfg.json")
        if RoutedSAELensReader.recognises(file) { return try RoutedSAELensReader.read(folder, file, context) }
        let configuration = try SAELensConfiguration(file)
        let path = folder + "/sae_weights.safetensors"
        let layer = try context.layer(
            ofHook: configuration.hook, key: configuration.hookKey, in: configuration.path)
        let k: (k: Int, remark: String?)?
        if configuration.architecture == .topk {
            k = try context.k(configuration.k, orOf: "SAELens", 100, in: configuration.path)
        } else {
            k = nil
            try context.checkNoK("a SAELens \(configuration.kind)", in: configuration.path)
        }
        var tensors = TensorMapping(try SafetensorsWeightFile(path: path))
        let isLogarithm = configuration.architecture == .jumprelu && tensors.has("log_threshold")
        let made = try ForeignDictionary.configuration(at: configuration.path) { () throws(SparseCodingError) in
            try DictionaryConfiguration(
                architecture: configuration.architecture, dModel: configuration.width,
                latents: configuration.latents, k: k?.k, layers: [layer], input: configuration.input,
                subtractsPreBias: configuration.subtractsPreBias, selection: configuration.selection,
                thresholdForm: configuration.architecture == .jumprelu ? (isLogarithm ? .logarithm : .value) : nil)
        }
        let mapped = try take(&tensors, made, configuration.kind, isLogarithm: isLogarithm)
        return ForeignDictionary(
            format: .saelens, configuration: made, tensors: mapped,
            files: [
                ForeignFile(path: path, role: "weights"), ForeignFile(path: configuration.path, role: "config"),
            ],
            suggestedName: "", modelName: configuration.modelName,
            repository: PathNames(folder).repository, hook: configuration.hook, details: configuration.details,
            remarks: [k?.remark].compactMap { $0 } + configuration.remarks
                + remarks(configuration.path, version: configuration.version, dtype: configuration.dtype, tensors))
    }

    private static func take(
        _ tensors: inout TensorMapping, _ made: DictionaryConfiguration, _ kind: String, isLogarithm: Bool
    ) throws -> [ForeignTensor] {
        let (d, m) = (made.dModel, made.latents)
        try tensors.take("pre_bias", from: "b_dec", [d])
        try tensors.takeTransposed("encoder", from: "W_enc", rows: m, columns: d)
        try tensors.take("decoder", from: "W_dec", [m, d])
        if made.architecture == .gated {
            try tensors.take("gate_bias", from: "b_gate", [m])
            try tensors.take("mag_bias", from: "b_mag", [m])
            try tensors.take("r_mag", from: "r_mag", [m])
        } else {
            try tensors.take("latent_bias", from: "b_enc", [m])
        }
        if made.architecture == .jumprelu {
            try tensors.take("threshold", from: isLogarithm ? "log_threshold" : "threshold", [m])
        }
        try tensors.passOverScalingFactor()
        return try tensors.finish("a SAELens \(kind)")
    }

    /// Remarks on a version that is newer than those known, and on a type that SAELens computes in.
    ///
    /// - Parameter path: of `cfg.json`.
    static func remarks(_ path: String, version: String?, dtype: String, _ tensors: TensorMapping) -> [String] {
        var remarks: [String] = []
        if let version {
            let numbers = version.split(separator: ".").prefix(2).map { Int($0) ?? 0 } + [0, 0]
            if (numbers[0], numbers[1]) > knownVersion {
                remarks.append(
                    "\(path): written by SAELens \(version); files up to "
                        + "\(knownVersion.major).\(knownVersion.minor) are known, compare some activations")
            }
        }
        let stored = Set(tensors.finished.map(\.dtype))
        if dtype == "float16" || dtype == "bfloat16" {
            remarks.append(
                stored.contains(.f32)
                    ? "\(path): SAELens rounds these weights to \(dtype) when it loads them; "
                        + "here they stay as they are"
                    : "\(path): SAELens computes in \(dtype); here it is done in float32")
        }
        return remarks
    }
}
