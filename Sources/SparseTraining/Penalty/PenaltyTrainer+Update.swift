import CKernels
import LinearAlgebra
package import SparseCoding
import Vocabulary

extension PenaltyTrainer {
    /// Latents whose weight gradients are computed at once, by one product each.
    private static let latentTile = 128

    /// Weight gradients and Adam.
    func update(_ forward: PenaltyForward, samples: Int) {
        let vectors = vectorGradients(forward, samples: samples)
        let scale = options.gradientClip.map { clipScale(norm: norm(forward, vectors, samples: samples), clip: $0) }
        let adam = AdamStep(state, options, scale: scale ?? 1)
        switch forward.latents {
        case .all(let latents): update(latents, forward, samples: samples, adam.settings)
        case .reached(let latents):
            let parallel = Matrix(rows: 1, columns: configuration.latents)
            parallel.pointer.update(from: forward.sums.row(PenaltySum.parallel.rawValue), count: parallel.count)
            entryGradients(latents, forward, samples: samples).update(
                adam.settings, removing: options.removesParallelGradient ? parallel : nil)
        }
        for (tensor, gradient) in vectors { adam.apply(gradient, to: tensor) }
    }

    /// The big matrices' gradients exist for one tile of latents at a time.
    private func update(_ latents: DenseLatents, _ forward: PenaltyForward, samples: Int, _ adam: rsae_adam) {
        let width = configuration.inputWidth
        let (first, second) = (state.firstMoment, state.secondMoment)
        forEachTile(latents, forward, samples: samples) { tile, encoder, decoder in
            if options.removesParallelGradient {
                for row in 0..<tile.count {
                    let direction = weights.decoder.row(tile.lowerBound + row)
                    let part = rsae_dot(decoder.row(row), direction, Int64(width))
                    rsae_add_scaled(decoder.row(row), -part, direction, Int64(width))
                }
            }

            let (row, count) = (tile.lowerBound, Int64(tile.count * width))
            rsae_adam_step(
                weights.encoder.row(row), first.encoder.row(row), second.encoder.row(row), encoder.pointer, count, adam)
            rsae_adam_step(
                weights.decoder.row(row), first.decoder.row(row), second.decoder.row(row), decoder.pointer, count, adam)
        }
    }

    /// The gradients of the two large matrices from the latents within reach.
    private func entryGradients(_ latents: ReachedLatents, _ forward: PenaltyForward, samples: Int) -> EntryGradients {
        latents.blocks?.fill(errorGradient: errorGradient, centered: input.centered, count: samples, by: workers)
        let rows = latents.blocks?.samples ?? rsae_samples(errorGradient: errorGradient, centered: input.centered)
        return EntryGradients(
            state: state, workers: workers, entries: latents.entries, samples: { _ in rows },
            alongDirection: normFactors(forward))
    }

    /// The gradient of the whole loss, stored; see `DictionaryTrainer`.
    package func gradients(_ batch: ActivationBatch) throws -> (loss: Float, gradients: DictionaryWeights) {
        let forward = try forward(batch)
        let result = DictionaryWeights(configuration)
        for (tensor, gradient) in vectorGradients(forward, samples: batch.count) {
            result[keyPath: tensor].update(from: gradient)
        }

        switch forward.latents {
        case .all(let latents):
            let width = configuration.inputWidth
            forEachTile(latents, forward, samples: batch.count) { tile, encoder, decoder in
                result.encoder.row(tile.lowerBound).update(from: encoder.pointer, count: tile.count * width)
                result.decoder.row(tile.lowerBound).update(from: decoder.pointer, count: tile.count * width)
            }
        case .reached(let latents):
            let gradients = entryGradients(latents, forward, samples: batch.count)
            for latent in 0..<configuration.latents {
                gradients.gradient(
                    of: latent, encoder: result.encoder.row(latent), decoder: result.decoder.row(latent))
            }
        }
        return (forward.summary.loss + forward.sparsityLoss, result)
    }

    /// Computes the gradients of W_enc and W_decᵀ for some latents at a time `[tile × D]`: gradientsᵀ · input and
    /// activationsᵀ · error, and the decoder norms' part of the sparsity term.
    private func forEachTile(
        _ latents: DenseLatents, _ forward: PenaltyForward, samples: Int,
        _ body: (_ tile: Range<Int>, _ encoder: Matrix, _ decoder: Matrix) -> Void
    ) {
        let (m, width) = (configuration.latents, configuration.inputWidth)
        let size = min(PenaltyTrainer.latentTile, m)
        let factors = normFactors(forward)
        let scratch = (0..<workers.count).map { _ in
            (encoder: Matrix(rows: size, columns: width), decoder: Matrix(rows: size, columns: width))
        }
        workers.forEach(m, tile: size) { tile, worker in
            let (encoder, decoder) = scratch[worker]
            for (source, other, result) in [
                (latents.slopes, input.centered, encoder), (latents.activations, errorGradient, decoder),
            ] {
                multiply(
                    rows: tile.count, columns: width, inner: samples, source.pointer + tile.lowerBound, stride: m,
                    transposeA: true, other.pointer, stride: width, into: result.pointer, stride: width)
            }
            if let factors { addNorms(factors, tile, to: decoder) }
            body(tile, encoder, decoder)
        }
    }

    /// f of every part of every latent `[parts × latents]`: ∂/∂w of c · size · ‖w‖ is c · size / ‖w‖ · w = f · w. Nil if
    /// the penalty does not weigh by norms.
    private func normFactors(_ forward: PenaltyForward) -> Matrix? {
        guard let norms = forward.norms else { return nil }
        let factors = Matrix(rows: norms.rows, columns: norms.columns)
        for latent in 0..<norms.columns {
            let size = forward.coefficient * forward.sums[PenaltySum.size.rawValue, latent]
            for place in 0..<norms.rows where norms[place, latent] > 0 {
                factors[place, latent] = size / norms[place, latent]
            }
        }
        return factors
    }

    private func addNorms(_ factors: Matrix, _ tile: Range<Int>, to decoder: Matrix) {
        let part = configuration.inputWidth / configuration.parts
        for latent in tile {
            for place in 0..<configuration.parts {
                rsae_add_scaled(
                    decoder.row(latent - tile.lowerBound) + place * part, factors[place, latent],
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
        if configuration.hasPreBias { gradients.append((\.preBias, preBiasGradient(forward, samples: samples))) }
        return gradients
    }

    private func preBiasGradient(_ forward: PenaltyForward, samples: Int) -> Matrix {
        let (m, width) = (configuration.latents, configuration.inputWidth)
        let result = Matrix(rows: 1, columns: width)
        let squares = Matrix(rows: 1, columns: width)
        let slopeSums = slopeSums(forward)
        workers.forEach(width, tile: TopKTrainer.columnBlock) { columns, _ in
            let column = columns.lowerBound
            rsae_column_sums(
                errorGradient.pointer + column, Int64(samples), Int64(width), Int64(columns.count),
                result.pointer + column, squares.pointer + column)
            guard configuration.subtractsPreBias else { return }
            multiply(
                rows: 1, columns: columns.count, inner: m, alpha: -1, slopeSums.pointer, stride: m,
                weights.encoder.pointer + column, stride: width, accumulating: true, into: result.pointer + column,
                stride: width)
        }
        return result
    }

    /// Σ_t ∂L/∂π `[1 × latents]`: the gradient of the bias; of a gated dictionary, whose π counts exp(r_mag) times in the
    /// magnitude, Σ ∂L/∂b_gate + exp(r_mag) Σ ∂L/∂b_mag.
    private func slopeSums(_ forward: PenaltyForward) -> Matrix {
        let result = Matrix(rows: 1, columns: configuration.latents)
        result.pointer.update(from: forward.sums.row(PenaltySum.bias.rawValue), count: result.count)
        guard configuration.architecture == .gated else { return result }
        let magnitude = PenalisedActivation(configuration, weights).magnitude
        for latent in 0..<result.count {
            result.pointer[latent] += magnitude.pointer[latent] * forward.sums[PenaltySum.second.rawValue, latent]
        }
        return result
    }

    /// The norm of the whole gradient; computes the big matrices' gradients once more.
    private func norm(
        _ forward: PenaltyForward, _ vectors: [(KeyPath<DictionaryWeights, Matrix>, Matrix)], samples: Int
    ) -> Double {
        var sum =
            switch forward.latents {
            case .all(let latents): squaredNorm(latents, forward, samples: samples)
            case .reached(let latents): entryGradients(latents, forward, samples: samples).squaredNorm()
            }
        for (_, vector) in vectors { sum += Double(rsae_dot(vector.pointer, vector.pointer, Int64(vector.count))) }
        return sum.squareRoot()
    }

    private func squaredNorm(_ latents: DenseLatents, _ forward: PenaltyForward, samples: Int) -> Double {
        let squares = Matrix(rows: 1, columns: configuration.latents)
        let width = Int64(configuration.inputWidth)
        forEachTile(latents, forward, samples: samples) { tile, encoder, decoder in
            for row in 0..<tile.count {
                squares.pointer[tile.lowerBound + row] =
                    rsae_dot(encoder.row(row), encoder.row(row), width)
                    + rsae_dot(decoder.row(row), decoder.row(row), width)
            }
        }
        return (0..<squares.count).reduce(0.0) { $0 + Double(squares.pointer[$1]) }
    }
}
