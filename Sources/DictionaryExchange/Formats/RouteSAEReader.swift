import JSON
import SparseCoding
import Vocabulary

/// Reads a state dict of one of the RouteSAE authors' models, or of a file that was written here in their names.
///
/// `pre_bias [D]`, `latent_bias [m]`, `encoder.weight [m, d]`, `decoder.weight [d, m]`; a `route` has these behind `sae.`
/// and `router.weight [layers, d]` beside them. Gated has `gate_bias`, `mag_bias` and `r_mag`, JumpReLU `threshold`, which
/// holds θ; a crosscoder `encoder.i.weight` and `decoder.i.weight` for each layer i. No file says layers or k.
enum RouteSAEReader {
    /// Whether a file has the names of such a state dict.
    static func recognises(_ file: any WeightFile) -> Bool { prefix(file) != nil }

    /// Reads a file.
    ///
    /// - Throws: `ForeignDictionaryError`, `WeightFileError`.
    static func read(_ path: String, _ context: ReadingContext) throws -> ForeignDictionary {
        let file = try WeightFileFormat.open(path)
        guard let prefix = prefix(file) else {
            throw ForeignDictionaryError(
                .malformed, path,
                "has tensors \(WeightFileError.brief(file.names)); expected \"latent_bias\" or \"gate_bias\", and "
                    + "\"encoder.weight\" or \"encoder.0.weight\"")
        }
        let request = context.request
        guard let layers = request.layers else {
            throw ForeignDictionaryError(.notSaid, path, "does not say which layers it reads; add `layer` or `layers`")
        }
        var tensors = TensorMapping(file, prefix: prefix)
        let inner = tensors.has("sae.encoder.weight") ? "sae." : ""
        let parts = parts(of: tensors)
        let architecture = try architecture(tensors, inner, parts, layers.count, request, path)
        let fidelity = request.fidelity ?? .reference
        let (m, d) = try tensors.extents(parts > 0 ? "encoder.0.weight" : inner + "encoder.weight")
        if parts > 0, parts != layers.count {
            throw ForeignDictionaryError(
                .contradiction, path, "has encoders of \(parts) layers; expected as many layers, found \(layers.count)")
        }
        if architecture.activeLatents == .penalised { try context.checkNoK("a \(architecture.rawValue)", in: path) }
        let k = architecture.activeLatents == .fixed ? try context.k(nil, in: path) : request.k
        let made = try ForeignDictionary.configuration(at: path) { () throws(SparseCodingError) in
            try DictionaryConfiguration(
                architecture: architecture, dModel: d, latents: m, k: k, layers: layers,
                routing: request.routing ?? .hard, aggregation: request.aggregation ?? .sum, fidelity: fidelity,
                thresholdForm: architecture == .jumprelu ? .value : nil)
        }
        var remarks: [String] = []
        let mapped = try take(&tensors, made, inner, parts, &remarks)
        return ForeignDictionary(
            format: .routesaePyTorch, configuration: made, tensors: mapped,
            files: [ForeignFile(path: path, role: "weights")], suggestedName: "", modelName: nil,
            repository: PathNames(path).repository, hook: nil, details: JSONObject(), remarks: remarks)
    }

    /// What stands before all names, such as `state_dict.` in a checkpoint; nil for a file of another kind.
    private static func prefix(_ file: any WeightFile) -> String? {
        for bias in ["latent_bias", "gate_bias"] {
            for name in file.names where name == bias || name.hasSuffix("." + bias) {
                let inner = String(name.dropLast(bias.count))
                guard file.entry(inner + "encoder.weight") != nil || file.entry(inner + "encoder.0.weight") != nil
                else { continue }
                let isRouted = inner == "sae." || inner.hasSuffix(".sae.")
                return isRouted ? String(inner.dropLast("sae.".count)) : inner
            }
        }
        return nil
    }

    /// The number of a crosscoder's encoders; 0 for another dictionary.
    private static func parts(of tensors: TensorMapping) -> Int {
        (0..<100_000).first { !tensors.has("encoder.\($0).weight") } ?? 0
    }

    private static func architecture(
        _ tensors: TensorMapping, _ inner: String, _ parts: Int, _ layers: Int, _ request: ForeignRequest,
        _ path: String
    ) throws(ForeignDictionaryError) -> Architecture {
        let possible: [Architecture]
        if tensors.has("router.weight") {
            possible = [.route]
        } else if parts > 0 {
            possible = [.crosscoder]
        } else if tensors.has(inner + "gate_bias") {
            possible = [.gated]
        } else if tensors.has(inner + "threshold") {
            possible = [.jumprelu]
        } else {
            possible = request.k == nil ? [.vanilla, .topk, .mlsae, .random] : [.topk, .mlsae, .random]
        }
        let names = possible.map(\.rawValue).joined(separator: ", ")
        if let asked = request.architecture {
            guard possible.contains(asked) else {
                throw ForeignDictionaryError(
                    .contradiction, path, "has the tensors of \(names), `architecture` says \(asked.rawValue)")
            }
            return asked
        }
        guard layers == 1 || possible.count == 1 else {
            throw ForeignDictionaryError(
                .notSaid, path, "has the tensors of \(names) and \(layers) layers; add `architecture`")
        }
        return possible[0]
    }

    private static func take(
        _ tensors: inout TensorMapping, _ made: DictionaryConfiguration, _ inner: String, _ parts: Int,
        _ remarks: inout [String]
    ) throws -> [ForeignTensor] {
        let (d, m) = (made.dModel, made.latents)
        if made.routes {
            try tensors.take("router", from: "router.weight", [made.layers.count, d])
        } else if tensors.has("router.weight") {
            remarks.append("\(tensors.file.path): the router has one layer to choose from and is left out")
            tensors.pass(over: "router.weight")
        }
        if made.hasPreBias { try tensors.take("pre_bias", from: inner + "pre_bias", [made.inputWidth]) }
        if parts > 0 {
            let names = { (kind: String) in (0..<parts).map { "\(kind).\($0).weight" } }
            try tensors.takeSideBySide("encoder", from: names("encoder"), rows: m, width: d, transposed: false)
            try tensors.takeSideBySide("decoder", from: names("decoder"), rows: m, width: d, transposed: true)
        } else {
            try tensors.take("encoder", from: inner + "encoder.weight", [m, d])
            try tensors.takeTransposed("decoder", from: inner + "decoder.weight", rows: m, columns: d)
        }
        if made.architecture == .gated {
            for name in ["gate_bias", "mag_bias", "r_mag"] { try tensors.take(name, from: inner + name, [m]) }
        } else {
            try tensors.take("latent_bias", from: inner + "latent_bias", [m])
        }
        if made.architecture == .jumprelu { try tensors.take("threshold", from: inner + "threshold", [m]) }
        return try tensors.finish("a \(made.architecture.rawValue) dictionary of RouteSAE")
    }
}
