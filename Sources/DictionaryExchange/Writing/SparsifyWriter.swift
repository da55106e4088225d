import JSON
import LinearAlgebra
import Safetensors
import SparseCoding
import Vocabulary

/// Writes a dictionary with a k for sparsify (`SparseCoder.load_from_disk`, `load_many`): a folder `layers.L` of
/// `cfg.json` and `sae.safetensors` for each layer, all with the same weights, and, where the weights alone do not say
/// how to use them, a `README.md`. A routed dictionary has `router.safetensors` beside them.
///
/// sparsify reads a stream h as it is, subtracts b_dec and adds it again. So a scale is folded into the weights; a
/// b_pre that is not subtracted goes into the encoder's bias, as W_enc (h − b) + (b_enc + W_enc b) = W_enc h + b_enc;
/// norms by which activations are multiplied are folded as well. A normalisation of each token cannot be: the README
/// gives it.
///
/// sparsify reads all tensors in the type of one, so they keep their stored type only if they share it.
package enum SparsifyWriter {
    private static let weightsFile = "sae.safetensors"

    /// Writes a dictionary.
    ///
    /// - Parameter folder: made if it is not there; no file in it may have a name that is written.
    /// - Returns: remarks, a line each.
    /// - Throws: `ExportRefusal` where sparsify would compute something else;
    ///   `SafetensorsError` where a file cannot be written; what the dictionary's `read` throws.
    package static func write(_ dictionary: DictionaryToExport, into folder: String) throws -> [String] {
        try check(dictionary)
        let configuration = dictionary.configuration
        let norms = try dictionary.decoderNorms()
        let isRescaled = configuration.selection == .activationTimesNorm
        let tensors = try tensors(of: dictionary, norms: isRescaled ? norms : nil)
        let file = WrittenFile(dictionary: dictionary, tensors: tensors, metadata: ["format": "pt"])
        let settings = settings(configuration, hasUnitNorms: isRescaled || norms.allSatisfy { abs($0 - 1) < 1e-3 })

        let top = try ExportFolder(folder)
        var first: String?
        for layer in configuration.layers {
            let folder = try top.folder("layers.\(layer)")
            try folder.write(settings, to: "cfg.json")
            if first.map({ folder.link($0, as: weightsFile) }) != true { try file.write(to: folder.file(weightsFile)) }
            first = first ?? folder.file(weightsFile)
        }
        if configuration.routes { try top.writeRouter(of: dictionary) }
        if let guide = RoutingGuide.forSparsify(dictionary) { try top.write(guide, to: "README.md") }
        return remarks(configuration)
    }

    /// Refuses what sparsify would compute differently.
    private static func check(_ dictionary: DictionaryToExport) throws(ExportRefusal) {
        let configuration = dictionary.configuration
        let label = dictionary.label
        guard configuration.k != nil, configuration.architecture != .crosscoder else {
            throw ExportRefusal(
                "\(label): sparsify reads TopK dictionaries of one layer at a time, and this is a "
                    + "\(configuration.architecture.rawValue)"
                    + (configuration.thresholdForm == .shared ? " with one threshold" : "")
                    + (configuration.architecture == .crosscoder ? "" : "; use `to` saelens"))
        }
        guard configuration.rectified else {
            throw ExportRefusal(
                "\(label): with fidelity reference it keeps activations below zero, which sparsify sets to 0; train "
                    + "it with `fidelity` corrected")
        }
        guard !(configuration.routes && configuration.routing == .soft) else {
            throw ExportRefusal(
                "\(label): soft routing mixes its layers, so no single layer can be read with sparsify; use `to` "
                    + "saelens")
        }
    }

    private static func tensors(of dictionary: DictionaryToExport, norms: [Double]?) throws -> [WrittenTensor] {
        let configuration = dictionary.configuration
        let (m, d) = (configuration.latents, configuration.dModel)
        let folding = WeightFolding(latents: m, scale: configuration.foldedScale, norms: norms)
        let tensors = [
            try WrittenTensor("encoder.weight", rowsOf: "encoder", factors: folding.encoder, of: dictionary),
            try encoderBias(dictionary, folding),
            try WrittenTensor("W_dec", rowsOf: "decoder", factors: folding.decoder, of: dictionary),
            try folding.preBias.map { factor in
                WrittenTensor("b_dec", try dictionary.vector("pre_bias", count: d).map { Float(Double($0) * factor) })
            } ?? WrittenTensor("b_dec", vector: "pre_bias", count: d, of: dictionary),
        ]
        return Set(tensors.map(\.dtype)).count == 1 ? tensors : tensors.map(\.widened)
    }

    private static func encoderBias(_ dictionary: DictionaryToExport, _ folding: WeightFolding) throws -> WrittenTensor
    {
        let configuration = dictionary.configuration
        let m = configuration.latents
        guard folding.latentBias != nil || !configuration.subtractsPreBias else {
            return try WrittenTensor("encoder.bias", vector: "latent_bias", count: m, of: dictionary)
        }
        var bias = try dictionary.vector("latent_bias", count: m).map { Double($0) }
        if !configuration.subtractsPreBias {
            let encoder = try dictionary.directions("encoder")
            let preBias = try dictionary.vector("pre_bias", count: configuration.dModel)
            withExtendedLifetime(encoder) {
                for latent in 0..<m {
                    let row = UnsafeBufferPointer(start: encoder.row(latent), count: encoder.columns)
                    bias[latent] += zip(row, preBias).reduce(0) { $0 + Double($1.0) * Double($1.1) }
                }
            }
        }
        if let factors = folding.latentBias { for latent in 0..<m { bias[latent] *= factors[latent] } }
        return WrittenTensor("encoder.bias", bias.map { Float($0) })
    }

    /// `cfg.json`. sparsify drops keys that it does not know; an import here reads the input's rule again.
    private static func settings(_ configuration: DictionaryConfiguration, hasUnitNorms: Bool) -> JSONObject {
        var object: JSONObject = [
            "activation": .string(configuration.selection == .groups ? "groupmax" : "topk"),
            "expansion_factor": .integer(max(configuration.latents / configuration.dModel, 1)),
            "normalize_decoder": .boolean(hasUnitNorms),
            "num_latents": .integer(configuration.latents),
            "k": .integer(configuration.k ?? configuration.latents),
            "multi_topk": .boolean(false),
            "skip_connection": .boolean(false),
            "transcode": .boolean(false),
            "d_in": .integer(configuration.dModel),
        ]
        if let input = RecordedInput.value(configuration.input) { object[RecordedInput.key] = input }
        return object
    }

    private static func remarks(_ configuration: DictionaryConfiguration) -> [String] {
        var remarks: [String] = []
        if let scale = configuration.foldedScale {
            remarks.append("the input's scale \(scale) is folded into the weights, in 32 bits")
        } else if configuration.input != .none {
            remarks.append(
                "sparsify does not normalise its input and this dictionary was made for a normalised one: give it "
                    + "\(RoutingGuide.input(configuration)); README.md says how, and how to undo it")
        }
        if configuration.selection == .activationTimesNorm {
            remarks.append("the norms of the decoder's rows are folded into the weights, in 32 bits")
        }
        if !configuration.subtractsPreBias {
            remarks.append(
                "b_pre, which sparsify subtracts and this dictionary does not, is made up for in encoder.bias")
        }
        if configuration.layers.count > 1 {
            remarks.append(
                "the weights of layers.\(configuration.layers[0]) … "
                    + "layers.\(configuration.layers[configuration.layers.count - 1]) are the same and share their "
                    + "disk space by hard links; README.md says which to use for a token")
        }
        return remarks
    }
}
