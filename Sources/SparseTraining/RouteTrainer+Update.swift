import CKernels
import Glibc
import LinearAlgebra
import SparseCoding

extension RouteTrainer {
    /// Weight gradients and Adam for every tensor. The two big matrices' gradients are never stored: a block of a
    /// latent's columns is summed in registers and used at once.
    func update(count: Int, auxiliary: AuxiliaryGradient?) {
        let adam = adamStep()
        let small = smallGradients(count: count, auxiliary: auxiliary)
        updateLatents(count: count, auxiliary: auxiliary, slopeSums: small.latentBias, adam)
        step(weights.latentBias, firstMoment.latentBias, secondMoment.latentBias, small.latentBias, adam)
        step(weights.preBias, firstMoment.preBias, secondMoment.preBias, small.preBias, adam)
        if configuration.layers.count > 1 {
            step(weights.router, firstMoment.router, secondMoment.router, small.router, adam)
        }
    }

    /// The settings of the coming Adam step.
    private func adamStep() -> rsae_adam {
        let t = Double(stepsDone + 1)
        let beta1 = Double(options.betas[0])
        let beta2 = Double(options.betas[1])
        return rsae_adam(
            rate: options.learningRate * schedule.factor(at: stepsDone),
            beta1: options.betas[0],
            beta2: options.betas[1],
            epsilon: options.epsilon,
            correction1: Float(1 - pow(beta1, t)),
            root_correction2: Float((1 - pow(beta2, t)).squareRoot()))
    }

    private func step(_ p: Matrix, _ m: Matrix, _ v: Matrix, _ gradient: Matrix, _ adam: rsae_adam) {
        rsae_adam_step(p.pointer, m.pointer, v.pointer, gradient.pointer, Int64(p.count), adam)
    }

    private func updateLatents(count: Int, auxiliary: AuxiliaryGradient?, slopeSums: Matrix, _ adam: rsae_adam) {
        let d = configuration.dModel
        let m = configuration.latents
        let block = RouteTrainer.columnBlock
        let latentTile = 64
        let latentTiles = (m + latentTile - 1) / latentTile
        let columnTiles = (d + block - 1) / block
        let parallel = options.removesParallelGradient ? parallelParts(auxiliary) : nil
        // All latents of one column block before the next: the block's columns of the tokens stay in the outer cache.
        workers.forEach(tiles: latentTiles * columnTiles) { tile, _ in
            let column = tile / latentTiles * block
            let width = min(block, d - column)
            let first = tile % latentTiles * latentTile
            for latent in first..<min(first + latentTile, m) {
                let start = entries.offsets[latent]
                let row = auxiliary.map { Int($0.row[latent]) } ?? -1
                let rows = rsae_latent_rows(
                    encoder: weights.encoder.row(latent) + column,
                    encoder_first: firstMoment.encoder.row(latent) + column,
                    encoder_second: secondMoment.encoder.row(latent) + column,
                    decoder: weights.decoder.row(latent) + column,
                    decoder_first: firstMoment.decoder.row(latent) + column,
                    decoder_second: secondMoment.decoder.row(latent) + column,
                    gradient_encoder: row < 0 ? nil : auxiliary.map { UnsafePointer($0.encoder.row(row) + column) },
                    gradient_decoder: row < 0 ? nil : auxiliary.map { UnsafePointer($0.decoder.row(row) + column) })
                rsae_update_latent(
                    rows, Int64(width), entries.tokens + start, entries.activations + start, entries.slopes + start,
                    Int64(entries.offsets[latent + 1] - start), errorGradient.pointer + column,
                    routed.centered.pointer + column, Int64(d), parallel.map { -$0[latent] } ?? 0, adam)
            }
        }
    }

    /// ⟨∂L/∂W_dec[j], W_dec[j]⟩ of every latent. No product is needed: with g = ∂L/∂û it is Σ z ⟨g, W_dec[j]⟩, and
    /// ⟨g, W_dec[j]⟩ is the slope. Directions have unit norm up to the drift of `normalizeEvery` steps.
    private func parallelParts(_ auxiliary: AuxiliaryGradient?) -> [Float] {
        (0..<configuration.latents).map { latent in
            var part: Float = 0
            for entry in entries.offsets[latent]..<entries.offsets[latent + 1] {
                part += entries.activations[entry] * entries.slopes[entry]
            }
            if let auxiliary, auxiliary.row[latent] >= 0 {
                part += rsae_dot(
                    auxiliary.decoder.row(Int(auxiliary.row[latent])), weights.decoder.row(latent),
                    Int64(configuration.dModel))
            }
            return part
        }
    }
}
