import CKernels
import LinearAlgebra

extension DictionaryEncoder {
    /// û − u of one sample, with û = Σ_j z_j W_dec[j] + b_pre.
    ///
    /// - Parameter error: the result `[D]`.
    /// - Returns: its squared norm.
    @discardableResult
    package func reconstructionError(
        of sample: Int, _ input: AutoencoderInput, _ latents: SparseLatents, into error: UnsafeMutablePointer<Float>
    ) -> Float {
        let width = Int64(configuration.inputWidth)
        // If b_pre was subtracted before, it cancels in û − u = Σ z W_dec − (u − b_pre).
        let square = rsae_decode_error(
            weights.decoder.pointer, width, latents.indices(of: sample), latents.activations(of: sample),
            Int64(latents.counts[sample]), input.centered.row(sample), error)
        guard configuration.hasPreBias, !configuration.subtractsPreBias else { return square }
        rsae_add_scaled(error, 1, weights.preBias.pointer, width)
        return rsae_dot(error, error, width)
    }
}
