import CKernels
import LinearAlgebra
package import SparseCoding
import Vocabulary

extension PenaltyTrainer {
    /// Latents whose weight gradients are computed at once, by one product each.
    private static let latentTile = 128

    /// Weight gradients and Adam. The big matrices' gradients exist for one tile of latents at a time.
    func update(_ forward: PenaltyForward, samples: Int) {
        let vectors = vectorGradients(forward, samples: samples)
        let scale = options.gradientClip.map { clipScale(norm: norm(forward, vectors, samples: samples), clip: $0) }
        let adam = AdamStep(state, options, scale: scale ?? 1)
        let width = configuration.inputWidth
        let (first, second) = (state.firstMoment, state.secondMoment)
        forEachTile(forward, samples: samples) { tile, encoder, decoder in
            if options.removesParallelGradient {
                for row in 0..<tile.count {
                    let direction = weights.decoder.row(tile.lowerBound + row)
                    let part = rsae_dot(decoder.row(row), direction, Int64(width))
                    rsae_add_scaled(decoder.row(row), -part, direction, Int64(width))
                }
            }

            let (row, count) = (tile.lowerBound, Int64(tile.count * width))
            rsae_adam_step(
                weights.encoder.row(row), first.encoder.row(row), second.encoder.row(row), encoder.pointer, count,
                adam.settings)
            rsae_adam_step(
                weights.decoder.row(row), first.decoder.row(row), second.decoder.row(row), decoder.pointer, count,
                adam.settings)
        }
        for (tensor, gradient) in vectors { adam.apply(gradient, to: tensor) }
    }

    /// The gradient of the whole loss, stored; see `DictionaryTrainer`.
    package func gradients(_ batch: ActivationBatch) throws -> (loss: Float, gradients: DictionaryWeights) {
        let forward = try forward(batch)
        let result = DictionaryWeights(configuration)
        for (tensor, gradient) in vectorGradients(forward, samples: batch.count) {
            result[keyPath: tensor].update(from: gradient)
        }

        let width = configuration.inputWidth
        forEachTile(forward, samples: batch.count) { tile, encoder, decoder in
            result.encoder.row(tile.lowerBound).update(from: encoder.pointer, count: tile.count * width)
            result.decoder.row(tile.lowerBound).update(from: decoder.pointer, count: tile.count * width)
        }
        return (forward.summary.loss + forward.sparsityLoss, result)
    }

    /// Computes the gradients of W_enc and W_decᵀ for some latents at a time `[tile × D]`: gradientsᵀ · input and
    /// activationsᵀ · error, and the decoder norms' part of the sparsity term.
    private func forEachTile(
        _ forward: PenaltyForward, samples: Int,
        _ body: (_ tile: Range<Int>, _ encoder: Matrix, _ decoder: Matrix) -> Void
    ) {
        let (m, width) = (configuration.latents, configuration.inputWidth)
        let size = min(PenaltyTrainer.latentTile, m)
        let scratch = (0..<workers.count).map { _ in
            (encoder: Matrix(rows: size, columns: width), decoder: Matrix(rows: size, columns: width))
        }
        workers.forEach(m, tile: size) { tile, worker in
            let (encoder, decoder) = scratch[worker]
            for (source, other, result) in [
                (slopes, input.centered, encoder), (activations, errorGradient, decoder),
            ] {
                multiply(
                    rows: tile.count, columns: width, inner: samples, source.pointer + tile.lowerBound, stride: m,
                    transposeA: true, other.pointer, stride: width, into: result.pointer, stride: width)
            }
            if let norms = forward.norms { addNorms(forward, norms, tile, to: decoder) }
            body(tile, encoder, decoder)
        }
    }

    /// ∂/∂w of c · size · ‖w‖ is c · size · w/‖w‖, for each part of each latent.
    private func addNorms(_ forward: PenaltyForward, _ norms: Matrix, _ tile: Range<Int>, to decoder: Matrix) {
        let part = configuration.inputWidth / configuration.parts
        for latent in tile {
            let size = forward.coefficient * forward.sums[PenaltySum.size.rawValue, latent]
            for place in 0..<configuration.parts where norms[place, latent] > 0 {
                rsae_add_scaled(
                    decoder.row(latent - tile.lowerBound) + place * part, size / norms[place, latent],
                    weights.decoder.row(latent) + place * part, Int64(part))
            }
        }
    }

    /// The gradients of the vectors.
    ///
    /// b_pre: Σ_t ∂L/∂û, less W_encᵀ Σ_t ∂L/∂π if b_pre is subtracted from the input.
    private func vectorGradients(
        _ forward: PenaltyForward, samples: Int
    ) -> [(KeyPath<DictionaryWeights, Matrix>, Matrix)] {
        func sum(_ kind: PenaltySum) -> Matrix {
            let result = Matrix(rows: 1, columns: configuration.latents)
            result.pointer.update(from: forward.sums.row(kind.rawValue), count: result.count)
            return result
        }

        var gradients: [(KeyPath<DictionaryWeights, Matrix>, Matrix)] =
            switch configuration.architecture {
            case .gated:
                [(\.gateBias, sum(.bias)), (\.magnitudeBias, sum(.second)), (\.magnitudeScale, sum(.scale))]
            case .jumprelu: [(\.latentBias, sum(.bias)), (\.threshold, sum(.second))]
            default: [(\.latentBias, sum(.bias))]
            }
        if configuration.hasPreBias { gradients.append((\.preBias, preBiasGradient(samples: samples))) }
        return gradients
    }

    private func preBiasGradient(samples: Int) -> Matrix {
        let (m, width) = (configuration.latents, configuration.inputWidth)
        let result = Matrix(rows: 1, columns: width)
        let squares = Matrix(rows: 1, columns: width)
        let slopeSums = Matrix(rows: 2, columns: m)
        workers.forEach(m, tile: 256) { tile, _ in
            rsae_column_sums(
                slopes.pointer + tile.lowerBound, Int64(samples), Int64(m), Int64(tile.count),
                slopeSums.row(0) + tile.lowerBound, slopeSums.row(1) + tile.lowerBound)
        }
        workers.forEach(width, tile: TopKTrainer.columnBlock) { columns, _ in
            let column = columns.lowerBound
            rsae_column_sums(
                errorGradient.pointer + column, Int64(samples), Int64(width), Int64(columns.count),
                result.pointer + column, squares.pointer + column)
            guard configuration.subtractsPreBias else { return }
            multiply(
                rows: 1, columns: columns.count, inner: m, alpha: -1, slopeSums.row(0), stride: m,
                weights.encoder.pointer + column, stride: width, accumulating: true, into: result.pointer + column,
                stride: width)
        }
        return result
    }

    /// The norm of the whole gradient; computes the big matrices' gradients once more.
    private func norm(
        _ forward: PenaltyForward, _ vectors: [(KeyPath<DictionaryWeights, Matrix>, Matrix)], samples: Int
    ) -> Double {
        let squares = Matrix(rows: 1, columns: configuration.latents)
        let width = Int64(configuration.inputWidth)
        forEachTile(forward, samples: samples) { tile, encoder, decoder in
            for row in 0..<tile.count {
                squares.pointer[tile.lowerBound + row] =
                    rsae_dot(encoder.row(row), encoder.row(row), width)
                    + rsae_dot(decoder.row(row), decoder.row(row), width)
            }
        }

        var sum = 0.0
        for latent in 0..<configuration.latents { sum += Double(squares.pointer[latent]) }
        for (_, vector) in vectors { sum += Double(rsae_dot(vector.pointer, vector.pointer, Int64(vector.count))) }
        return sum.squareRoot()
    }
}
