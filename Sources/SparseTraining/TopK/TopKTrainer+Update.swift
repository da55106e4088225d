import CKernels
import LinearAlgebra
import SparseCoding

extension TopKTrainer {
    /// Weight gradients and Adam for every tensor. The two big matrices' gradients are never stored: a block of a
    /// latent's columns is summed in registers and used at once.
    func update(tokens: Int, samples: Int, auxiliary: AuxiliaryGradient?) {
        let small = smallGradients(tokens: tokens, samples: samples, auxiliary: auxiliary)
        let scale = options.gradientClip.map { clipScale(norm: gradientNorm(small, auxiliary: auxiliary), clip: $0) }
        let adam = AdamStep(state, options, scale: scale ?? 1)
        updateLatents(auxiliary: auxiliary, adam.settings)
        adam.apply(small.latentBias, to: \.latentBias)
        if let preBias = small.preBias { adam.apply(preBias, to: \.preBias) }
        if let router = small.router { adam.apply(router, to: \.router) }
    }

    private func updateLatents(auxiliary: AuxiliaryGradient?, _ adam: rsae_adam) {
        let width = configuration.inputWidth
        let m = configuration.latents
        let block = TopKTrainer.columnBlock
        let latentTile = 64
        let latentTiles = (m + latentTile - 1) / latentTile
        let columnTiles = (width + block - 1) / block
        let parallel = options.removesParallelGradient ? parallelParts(auxiliary) : nil
        let (first, second) = (state.firstMoment, state.secondMoment)
        // All latents of one column block before the next: the block's columns of the samples stay in the outer cache.
        workers.forEach(tiles: latentTiles * columnTiles) { tile, _ in
            let column = tile / latentTiles * block
            let columns = min(block, width - column)
            let from = tile % latentTiles * latentTile
            for latent in from..<min(from + latentTile, m) {
                let start = entries.offsets[latent]
                let row = auxiliary.map { Int($0.row[latent]) } ?? -1
                let rows = rsae_latent_rows(
                    encoder: weights.encoder.row(latent) + column,
                    encoder_first: first.encoder.row(latent) + column,
                    encoder_second: second.encoder.row(latent) + column,
                    decoder: weights.decoder.row(latent) + column,
                    decoder_first: first.decoder.row(latent) + column,
                    decoder_second: second.decoder.row(latent) + column,
                    gradient_encoder: row < 0 ? nil : auxiliary.map { UnsafePointer($0.encoder.row(row) + column) },
                    gradient_decoder: row < 0 ? nil : auxiliary.map { UnsafePointer($0.decoder.row(row) + column) })
                rsae_update_latent(
                    rows, Int64(columns), entries.samples + start, entries.activations + start, entries.slopes + start,
                    Int64(entries.offsets[latent + 1] - start), errorGradient(of: latent).pointer + column,
                    input.centered.pointer + column, Int64(width), parallel.map { -$0.pointer[latent] } ?? 0, adam)
            }
        }
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
