import CKernels
import LinearAlgebra
package import SparseCoding

/// The gradients of all but the two big matrices.
struct SmallGradients {
    /// `[layers × d]`; nil without a router.
    let router: Matrix?
    /// `[1 × D]`; nil without b_pre.
    let preBias: Matrix?
    /// `[1 × latents]`.
    let latentBias: Matrix
}

extension TopKTrainer {
    /// Gradients of the router, b_pre and b_lat.
    ///
    /// b_lat: Σ_t ∂L/∂a. b_pre: Σ_t g − W_encᵀ Σ_t ∂L/∂a, since û = … + b_pre, a = W_enc (u − b_pre) + b_lat; without
    /// the second term if b_pre is not subtracted. W_r: Σ_t ∂L/∂logits ⊗ r.
    func smallGradients(tokens: Int, samples: Int, auxiliary: AuxiliaryGradient?) -> SmallGradients {
        let (width, m, layers) = (configuration.inputWidth, configuration.latents, configuration.layers.count)
        let latentBias = Matrix(rows: 1, columns: m)
        workers.forEach(m, tile: 1024) { tile, _ in
            for latent in tile {
                var sum: Float = 0
                for entry in entries.offsets[latent]..<entries.offsets[latent + 1] { sum += entries.slopes[entry] }
                if let auxiliary, auxiliary.row[latent] >= 0 { sum += auxiliary.bias[Int(auxiliary.row[latent])] }
                latentBias.pointer[latent] = sum
            }
        }

        let preBias = configuration.hasPreBias ? Matrix(rows: 1, columns: width) : nil
        let squares = Matrix(rows: 1, columns: width)
        let router = configuration.routes ? Matrix(rows: layers, columns: width) : nil
        workers.forEach(width, tile: TopKTrainer.columnBlock) { columns, _ in
            let column = columns.lowerBound
            if let preBias {
                rsae_column_sums(
                    errorGradient.pointer + column, Int64(samples), Int64(width), Int64(columns.count),
                    preBias.pointer + column, squares.pointer + column)
            }
            if let preBias, configuration.subtractsPreBias {
                multiply(
                    rows: 1, columns: columns.count, inner: m, alpha: -1, latentBias.pointer, stride: m,
                    weights.encoder.pointer + column, stride: width, accumulating: true, into: preBias.pointer + column,
                    stride: width)
            }
            if let router {
                multiply(
                    rows: layers, columns: columns.count, inner: tokens,
                    logitGradient.pointer, stride: layers, transposeA: true,
                    input.summary.pointer + column, stride: width, into: router.pointer + column, stride: width)
            }
        }
        return SmallGradients(router: router, preBias: preBias, latentBias: latentBias)
    }

    /// The gradient of the whole loss, stored; see `DictionaryTrainer`.
    package func gradients(_ batch: ActivationBatch) throws -> (loss: Float, gradients: DictionaryWeights) {
        let samples = batch.count * configuration.samplesPerToken
        let forward = try forward(batch)
        let auxiliary = options.auxiliary.flatMap {
            auxiliaryStep($0, dead: state.deadLatents(options), samples: samples)
        }
        entries.fill(from: latents, slopes: slopes.pointer, count: samples, by: workers)
        let small = smallGradients(tokens: batch.count, samples: samples, auxiliary: auxiliary)
        let result = DictionaryWeights(configuration)
        if let router = small.router { result.router.update(from: router) }
        if let preBias = small.preBias { result.preBias.update(from: preBias) }
        result.latentBias.update(from: small.latentBias)
        let gradients = entryGradients(auxiliary, samples: samples)
        for latent in 0..<configuration.latents {
            gradients.gradient(of: latent, encoder: result.encoder.row(latent), decoder: result.decoder.row(latent))
        }
        return (forward.loss + forward.balanceLoss + (auxiliary?.loss ?? 0), result)
    }

    /// The gradients of the two large matrices.
    func entryGradients(_ auxiliary: AuxiliaryGradient?, samples: Int) -> EntryGradients {
        let groups = errorGradients.map { rsae_samples(errorGradient: $0, centered: input.centered) }
        blocks?.fill(errorGradient: errorGradient, centered: input.centered, count: samples, by: workers)
        let packed = blocks?.samples
        return EntryGradients(
            state: state, workers: workers, entries: entries, samples: { packed ?? groups[self.group(of: $0)] },
            auxiliary: auxiliary)
    }

    /// The norm of the whole gradient.
    func gradientNorm(_ large: EntryGradients, _ small: SmallGradients) -> Double {
        var sum = large.squaredNorm()
        for vector in [small.router, small.preBias, small.latentBias] {
            if let vector { sum += Double(rsae_dot(vector.pointer, vector.pointer, Int64(vector.count))) }
        }
        return sum.squareRoot()
    }
}
