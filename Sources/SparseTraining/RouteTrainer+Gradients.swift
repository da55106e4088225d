import CKernels
import LinearAlgebra
package import SparseCoding

/// The gradients of everything but the two big matrices.
struct SmallGradients {
    let router: Matrix
    let preBias: Matrix
    let latentBias: Matrix
}

extension RouteTrainer {
    /// Gradients of the router, b_pre and b_lat.
    ///
    /// b_lat: Σ_t slope. b_pre: Σ_t g − W_encᵀ Σ_t slope, since û = … + b_pre and a = W_enc (u − b_pre) + b_lat.
    /// W_r: Σ_t ∂L/∂logits ⊗ r.
    func smallGradients(count: Int, auxiliary: AuxiliaryGradient?) -> SmallGradients {
        let d = configuration.dModel
        let m = configuration.latents
        let layers = configuration.layers.count
        let latentBias = Matrix(rows: 1, columns: m)
        for latent in 0..<m {
            var sum: Float = 0
            for entry in entries.offsets[latent]..<entries.offsets[latent + 1] { sum += entries.slopes[entry] }
            if let auxiliary, auxiliary.row[latent] >= 0 { sum += auxiliary.bias[Int(auxiliary.row[latent])] }
            latentBias.pointer[latent] = sum
        }
        let preBias = Matrix(rows: 1, columns: d)
        let squares = Matrix(rows: 1, columns: d)
        let router = Matrix(rows: layers, columns: d)
        workers.forEach(d, tile: RouteTrainer.columnBlock) { columns, _ in
            let column = columns.lowerBound
            rsae_column_sums(
                errorGradient.pointer + column, Int64(count), Int64(d), Int64(columns.count),
                preBias.pointer + column, squares.pointer + column)
            multiply(
                rows: 1, columns: columns.count, inner: m, alpha: -1, latentBias.pointer, stride: m,
                weights.encoder.pointer + column, stride: d, beta: 1, into: preBias.pointer + column, stride: d)
            guard layers > 1 else { return }
            multiply(
                rows: layers, columns: columns.count, inner: count,
                logitGradient.pointer, stride: layers, transposeA: true,
                routed.summary.pointer + column, stride: d, into: router.pointer + column, stride: d)
        }
        return SmallGradients(router: router, preBias: preBias, latentBias: latentBias)
    }

    /// The gradient of a batch's whole loss with respect to every weight, stored; for comparison with oracles.
    package func gradients(_ batch: ActivationBatch) throws -> (loss: Float, gradients: RouteWeights) {
        let forward = try forward(batch)
        let auxiliary = options.auxiliary.flatMap { auxiliaryStep($0, dead: deadLatents(), count: batch.count) }
        entries.fill(from: latents, slopes: slopes.pointer, count: batch.count)
        let small = smallGradients(count: batch.count, auxiliary: auxiliary)
        let result = RouteWeights(configuration)
        let d = configuration.dModel
        result.router.update(from: small.router)
        result.preBias.update(from: small.preBias)
        result.latentBias.update(from: small.latentBias)
        for latent in 0..<configuration.latents {
            let start = entries.offsets[latent]
            rsae_latent_gradient(
                result.encoder.row(latent), result.decoder.row(latent), Int64(d), entries.tokens + start,
                entries.activations + start, entries.slopes + start, Int64(entries.offsets[latent + 1] - start),
                errorGradient.pointer, routed.centered.pointer, Int64(d))
            if let auxiliary, auxiliary.row[latent] >= 0 {
                rsae_add_scaled(
                    result.encoder.row(latent), 1, auxiliary.encoder.row(Int(auxiliary.row[latent])), Int64(d))
                rsae_add_scaled(
                    result.decoder.row(latent), 1, auxiliary.decoder.row(Int(auxiliary.row[latent])), Int64(d))
            }
        }
        return (forward.loss + forward.balanceLoss + (auxiliary?.loss ?? 0), result)
    }
}
