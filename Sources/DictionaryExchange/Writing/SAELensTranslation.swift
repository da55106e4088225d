import Glibc
import JSON
import SparseCoding
import Vocabulary

/// A dictionary as one of SAELens's architectures (formulas: `sae_lens/saes/*.py` of 6.54): its settings, its tensors
/// and what is to be said about them. Every layer that it reads has the same.
struct SAELensTranslation {
    /// SAELens's name of the architecture.
    let architecture: String
    /// SAELens's name of what is done to the input.
    let normalization: String
    /// Settings of this architecture alone.
    let settings: JSONObject
    /// The tensors of `sae_weights.safetensors`.
    let tensors: [WrittenTensor]
    /// Lines for the person who exports.
    let remarks: [String]

    /// Translates a dictionary.
    ///
    /// - Throws: `ExportRefusal` where SAELens would compute something else; as `DictionaryToExport.matrix`.
    init(_ dictionary: DictionaryToExport) throws {
        let configuration = dictionary.configuration
        try Self.check(dictionary)
        let m = configuration.latents
        let scale = configuration.foldedScale
        var remarks: [String] = []
        var norms: [Double]?
        var rescales = configuration.selection == .activationTimesNorm
        if rescales {
            let found = try dictionary.decoderNorms()
            // SAELens divides by the norms, also by those that are 0; and it takes them after the scale is folded in.
            if scale != nil || found.contains(0) {
                norms = found
                rescales = false
                remarks.append("the norms of the decoder's rows are folded into the weights, in 32 bits")
            }
        }
        if let scale { remarks.append("the input's scale \(scale) is folded into the weights, in 32 bits") }
        let folding = WeightFolding(latents: m, scale: scale, norms: norms)

        var tensors = [
            try WrittenTensor("W_enc", columnsOf: "encoder", factors: folding.encoder, of: dictionary),
            try WrittenTensor("W_dec", rowsOf: "decoder", factors: folding.decoder, of: dictionary),
            try Self.preBias(dictionary, folding),
        ]
        var settings: JSONObject = [:]
        switch configuration.architecture {
        case .vanilla: architecture = "standard"
        case .gated:
            architecture = "gated"
            tensors.append(try WrittenTensor("b_gate", vector: "gate_bias", count: m, of: dictionary))
            tensors.append(try WrittenTensor("b_mag", vector: "mag_bias", count: m, of: dictionary))
            tensors.append(try WrittenTensor("r_mag", vector: "r_mag", count: m, of: dictionary))
        case _ where configuration.thresholds > 0:
            architecture = "jumprelu"
            tensors.append(try Self.threshold(dictionary))
        case .topk, .route, .random, .mlsae, .crosscoder, .jumprelu:
            architecture = "topk"
            settings["k"] = .integer(configuration.k ?? m)
            settings["rescale_acts_by_decoder_norm"] = .boolean(rescales)
        }
        if configuration.architecture != .gated { tensors.append(try Self.latentBias(dictionary, folding)) }
        self.tensors = tensors
        self.settings = settings

        switch configuration.input {
        case .none, .scale: normalization = "none"
        case .layerNorm(let epsilon):
            normalization = "layer_norm"
            if epsilon != SAELensFormat.epsilon {
                remarks.append(
                    "SAELens divides by the deviation + \(SAELensFormat.epsilon), this dictionary by the deviation + "
                        + "\(epsilon): activations differ in about the fifth digit")
            }
        case .unitNorm:
            normalization = "constant_norm_rescale"
            remarks.append("a stream of zeros gives NaN in SAELens, and is read as zeros here")
        }
        self.remarks = remarks
    }

    /// Refuses what SAELens would compute differently.
    private static func check(_ dictionary: DictionaryToExport) throws(ExportRefusal) {
        let configuration = dictionary.configuration
        guard configuration.architecture != .crosscoder else {
            throw ExportRefusal(
                "\(dictionary.label): a crosscoder reads all its layers at once, and SAELens has no such dictionary; "
                    + "read its tensors from the catalog, for example with the Python package")
        }
        guard configuration.selection != .groups else {
            throw ExportRefusal(
                "\(dictionary.label): SAELens cannot keep the largest of each group of latents; use `to` sparsify")
        }
        guard configuration.k == nil || configuration.rectified else {
            throw ExportRefusal(
                "\(dictionary.label): with fidelity reference it keeps activations below zero, which SAELens sets to "
                    + "0; train it with `fidelity` corrected")
        }
    }

    private static func preBias(_ dictionary: DictionaryToExport, _ folding: WeightFolding) throws -> WrittenTensor {
        let width = dictionary.configuration.inputWidth
        guard let factor = folding.preBias else {
            return try WrittenTensor("b_dec", vector: "pre_bias", count: width, of: dictionary)
        }
        return WrittenTensor(
            "b_dec", try dictionary.vector("pre_bias", count: width).map { Float(Double($0) * factor) })
    }

    private static func latentBias(_ dictionary: DictionaryToExport, _ folding: WeightFolding) throws -> WrittenTensor {
        let m = dictionary.configuration.latents
        let stored = try dictionary.vector("latent_bias", count: m)
        guard let folded = WeightFolding.product(stored, folding.latentBias) else {
            return WrittenTensor(
                name: "b_enc", dtype: try dictionary.dtype(of: "latent_bias"), shape: [m], values: .vector(stored))
        }
        return WrittenTensor("b_enc", folded)
    }

    /// θ for every latent.
    ///
    /// - Throws: `ExportRefusal` for a threshold below zero in the reference mode, which lets negative activations
    ///   through; in the corrected mode it acts as 0, as in SAELens.
    private static func threshold(_ dictionary: DictionaryToExport) throws -> WrittenTensor {
        let configuration = dictionary.configuration
        let stored = try dictionary.vector("threshold", count: configuration.thresholds)
        let dtype = try dictionary.dtype(of: "threshold")
        guard configuration.thresholdForm != .logarithm else {
            // A threshold beyond all numbers is never reached, like the largest of them.
            return WrittenTensor("threshold", stored.map { min(expf($0), .greatestFiniteMagnitude) })
        }
        if !configuration.rectified, let latent = stored.firstIndex(where: { $0 < 0 }) {
            throw ExportRefusal(
                "\(dictionary.label): with fidelity reference the threshold \(stored[latent]) of latent \(latent) lets "
                    + "negative activations through, which SAELens sets to 0; train it with `fidelity` corrected")
        }
        let all =
            configuration.thresholdForm == .shared ? Array(repeating: stored[0], count: configuration.latents) : stored
        return WrittenTensor(name: "threshold", dtype: dtype, shape: [all.count], values: .vector(all))
    }
}
