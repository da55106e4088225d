import CKernels
import LinearAlgebra
import Vocabulary

extension DictionaryEncoder {
    /// The reconstruction of one sample, in the units of the residual stream: û · deviation + mean, with
    /// û = Σ_j z_j W_dec[j] + b_pre, divided by the probability where the reference multiplied by it. Every part of a
    /// crosscoder's is in the units of its layer. A soft mixture belongs to no layer, so its û stays as it is.
    ///
    /// - Parameter result: `[D]`.
    package func reconstruct(
        _ sample: Int, _ input: AutoencoderInput, _ latents: SparseLatents, into result: UnsafeMutablePointer<Float>
    ) {
        let width = Int64(configuration.inputWidth)
        rsae_gather(
            weights.decoder.pointer, width, latents.indices(of: sample), latents.activations(of: sample),
            Int64(latents.counts[sample]), result)
        if configuration.hasPreBias { rsae_add_scaled(result, 1, weights.preBias.pointer, width) }
        guard !configuration.routes || configuration.routing == .hard else { return }
        let token = sample / configuration.samplesPerToken
        for part in 0..<configuration.parts {
            let place = configuration.parts > 1 ? part : Int(input.selected[sample])
            let deviation = input.deviations[token, place] / input.scale.pointer[sample]
            let mean = input.means[token, place]
            for column in part * configuration.dModel..<(part + 1) * configuration.dModel {
                result[column] = result[column] * deviation + mean
            }
        }
    }
}
