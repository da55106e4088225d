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
        for latent in 0..<configuration.latents {
            latentGradient(
                latent, auxiliary: auxiliary, encoder: result.encoder.row(latent), decoder: result.decoder.row(latent))
        }
        return (forward.loss + forward.balanceLoss + (auxiliary?.loss ?? 0), result)
    }

    /// The gradients of one latent's two rows, whole.
    func latentGradient(
        _ latent: Int, auxiliary: AuxiliaryGradient?, encoder: UnsafeMutablePointer<Float>,
        decoder: UnsafeMutablePointer<Float>
    ) {
        let width = Int64(configuration.inputWidth)
        let range = entries.range(of: latent)
        rsae_latent_gradient(
            encoder, decoder, width, entries.samples + range.lowerBound, entries.activations + range.lowerBound,
            entries.slopes + range.lowerBound, Int64(range.count), errorGradient(of: latent).pointer,
            input.centered.pointer, width)
        guard let auxiliary, auxiliary.row[latent] >= 0 else { return }
        let row = Int(auxiliary.row[latent])
        rsae_add_scaled(encoder, 1, auxiliary.encoder.row(row), width)
        rsae_add_scaled(decoder, 1, auxiliary.decoder.row(row), width)
    }

    /// The norm of the whole gradient. The big matrices' gradients are computed here and again for the update, as they
    /// are never stored; clipping therefore costs as much as they do.
    func gradientNorm(_ small: SmallGradients, auxiliary: AuxiliaryGradient?) -> Double {
        let width = configuration.inputWidth
        let squares = Matrix(rows: 1, columns: configuration.latents)
        let scratch = (0..<workers.count).map { _ in Matrix(rows: 2, columns: width) }
        workers.forEach(configuration.latents, tile: 64) { tile, worker in
            let gradient = scratch[worker]
            for latent in tile {
                latentGradient(latent, auxiliary: auxiliary, encoder: gradient.row(0), decoder: gradient.row(1))
                squares.pointer[latent] = rsae_dot(gradient.pointer, gradient.pointer, Int64(2 * width))
            }
        }

        var sum = 0.0
        for latent in 0..<configuration.latents { sum += Double(squares.pointer[latent]) }
        for vector in [small.router, small.preBias, small.latentBias] {
            if let vector { sum += Double(rsae_dot(vector.pointer, vector.pointer, Int64(vector.count))) }
        }
        return sum.squareRoot()
    }
}
