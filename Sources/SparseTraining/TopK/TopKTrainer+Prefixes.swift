import CKernels
import LinearAlgebra
import SparseCoding

/// Matryoshka (Bussmann et al. 2025, arXiv 2503.17547): every prefix of the latents, m_1 < … < m, reconstructs alone, and the
/// loss is the mean of their errors. Without prefixes there is one, all latents.
///
/// With û_p from the latents below m_p and f = 2 / (P · samples · ‖u‖²), a latent of the g-th group, m_(g−1) up to m_g, is in
/// all prefixes from g on, so its gradients are those of one reconstruction with ∂L/∂û = G_g = f · Σ_(p ≥ g) (û_p − u).
extension TopKTrainer {
    /// The errors û_p − u of one sample, into its rows of `errorGradients`; one encode, one decode in all.
    func prefixErrors(of sample: Int) {
        let (index, activation) = (latents.indices(of: sample), latents.activations(of: sample))
        var last = 0
        for (group, end) in prefixes.enumerated() {
            let error = errorGradients[group].row(sample)
            let first = last
            while last < Int(latents.counts[sample]), index[last] < end { last += 1 }
            if group == 0 {
                rsae_decode_error(
                    weights.decoder.pointer, Int64(width), index, activation, Int64(last), input.centered.row(sample),
                    error)
                if configuration.hasPreBias, !configuration.subtractsPreBias {
                    rsae_add_scaled(error, 1, weights.preBias.pointer, Int64(width))
                }
            } else {
                error.update(from: errorGradients[group - 1].row(sample), count: width)
                for slot in first..<last {
                    rsae_add_scaled(error, activation[slot], weights.decoder.row(Int(index[slot])), Int64(width))
                }
            }
            prefixSquares[sample, group] = rsae_dot(error, error, Int64(width))
        }
    }

    /// Turns the errors into G_g, and each latent's into its slope ⟨G_g, W_dec[j]⟩.
    func prefixGradients(of sample: Int, factor: Float) {
        for group in prefixes.indices.reversed() {
            let gradient = errorGradients[group].row(sample)
            for column in 0..<width { gradient[column] *= factor }
            if group + 1 < prefixes.count {
                rsae_add_scaled(gradient, 1, errorGradients[group + 1].row(sample), Int64(width))
            }
        }

        let index = latents.indices(of: sample)
        var last = 0
        for (group, end) in prefixes.enumerated() {
            let first = last
            while last < Int(latents.counts[sample]), index[last] < end { last += 1 }
            rsae_row_dots(
                weights.decoder.pointer, Int64(width), index + first, Int64(last - first),
                errorGradients[group].row(sample), slopes(of: sample) + first)
        }
    }

    /// Mean over the prefixes of ‖û_p − u‖² of one sample.
    func meanPrefixSquare(of sample: Int) -> Float {
        var sum: Float = 0
        for group in prefixes.indices { sum += prefixSquares[sample, group] }
        return sum / Float(prefixes.count)
    }

    /// The group of latents, between two prefixes, that a latent belongs to.
    func group(of latent: Int) -> Int {
        prefixes.count == 1 ? 0 : prefixes.firstIndex { latent < $0 } ?? 0
    }
}
