import CKernels
import LinearAlgebra
import SparseCoding

extension TopKTrainer {
    /// Weight gradients and Adam for every tensor.
    func update(tokens: Int, samples: Int, auxiliary: AuxiliaryGradient?) {
        let small = smallGradients(tokens: tokens, samples: samples, auxiliary: auxiliary)
        let gradients = entryGradients(auxiliary, samples: samples)
        let scale = options.gradientClip.map { clipScale(norm: gradientNorm(gradients, small), clip: $0) }
        let adam = AdamStep(state, options, scale: scale ?? 1)
        gradients.update(adam.settings, removing: options.removesParallelGradient ? parallelParts(auxiliary) : nil)
        adam.apply(small.latentBias, to: \.latentBias)
        if let preBias = small.preBias { adam.apply(preBias, to: \.preBias) }
        if let router = small.router { adam.apply(router, to: \.router) }
    }

    /// ⟨∂L/∂W_dec[j], W_dec[j]⟩ of every latent `[1 × latents]`. No product is needed: with g = ∂L/∂û it is
    /// Σ z ⟨g, W_dec[j]⟩, and ⟨g, W_dec[j]⟩ is the slope. Directions have unit norm up to the drift of `normalizeEvery`
    /// steps.
    private func parallelParts(_ auxiliary: AuxiliaryGradient?) -> Matrix {
        let parts = Matrix(rows: 1, columns: configuration.latents)
        workers.forEach(configuration.latents, tile: 1024) { tile, _ in
            for latent in tile {
                var part: Float = 0
                for entry in entries.offsets[latent]..<entries.offsets[latent + 1] {
                    part += entries.activations[entry] * entries.slopes[entry]
                }
                if let auxiliary, auxiliary.row[latent] >= 0 {
                    part += rsae_dot(
                        auxiliary.decoder.row(Int(auxiliary.row[latent])), weights.decoder.row(latent),
                        Int64(configuration.inputWidth))
                }
                parts.pointer[latent] = part
            }
        }
        return parts
    }
}
