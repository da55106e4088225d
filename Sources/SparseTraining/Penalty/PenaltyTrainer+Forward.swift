import CKernels
import LinearAlgebra
import SparseCoding
import Vocabulary

/// The result of a penalised dictionary's forward pass.
struct PenaltyForward {
    /// Losses and shares.
    var summary: ForwardResult
    /// The sparsity term, weighted, with a gated dictionary's auxiliary reconstruction.
    var sparsityLoss: Float
    /// The latents followed, with z and ∂L/∂π.
    var latents: PenaltyLatents
    /// Sums over the samples by `PenaltySum` `[rows × latents]`.
    var sums: Matrix
    /// Factor of each unit of a latent's size in the sparsity term, without decoder norms.
    var coefficient: Float
    /// ‖w_j‖ of every part `[parts × latents]`; nil if the penalty does not weigh by norms.
    var norms: Matrix?
}

extension PenaltyTrainer {
    /// Encodes, decodes and computes the gradient at the encoder's product, tile by tile.
    ///
    /// The first tile's product decides whether all latents are followed or only those within reach.
    func forward(_ batch: ActivationBatch) throws -> PenaltyForward {
        let samples = batch.count
        encoder.packWeights()
        try encoder.read(batch, into: input)
        if options.initialBias != .zero, state.stepsDone == 0 {
            input.moveBias(options.initialBias, of: weights, configuration, samples: samples, workers)
            try encoder.read(batch, into: input)
        }

        let norms = options.decoderNorm == .free ? decoderNorms() : nil
        let slope = PenaltySlope(
            self, PenalisedActivation(configuration, weights), samples: samples, norms: norms)
        let first = Matrix(
            scratchRows: min(PenaltyTrainer.tile, samples), columns: configuration.latents)
        encoder.encoderProduct(input, 0..<first.rows, into: first, by: workers)
        let (latents, sums) = follow(slope, samples: samples, first: first)

        var firing = 0.0
        for latent in 0..<configuration.latents { firing += Double(sums[PenaltySum.fired.rawValue, latent]) }
        let summary = input.summarise(
            squaredError: squaredError, configuration, samples: samples, firing: Int(firing), workers)
        return PenaltyForward(
            summary: summary, sparsityLoss: sparsityLoss(sums, slope, samples: samples), latents: latents, sums: sums,
            coefficient: slope.coefficient, norms: norms)
    }

    private func follow(
        _ slope: PenaltySlope, samples: Int, first: Matrix
    ) -> (latents: PenaltyLatents, sums: Matrix) {
        if let sparse = followReached(slope, samples: samples, first: first) {
            dense = nil
            return (.reached(sparse.latents), sparse.sums)
        }

        reached = nil
        let latents = dense ?? DenseLatents(samples: options.batchTokens, latents: configuration.latents)
        dense = latents
        return (.all(latents), followAll(latents, slope, samples: samples, first: first))
    }

    /// Follows all latents, by dense products.
    ///
    /// - Returns: the sums by `PenaltySum`.
    private func followAll(_ latents: DenseLatents, _ slope: PenaltySlope, samples: Int, first: Matrix) -> Matrix {
        let m = configuration.latents
        let vectors = slope.activation.vectors
        let (activations, slopes) = (latents.activations, latents.slopes)
        let scratch = (0..<workers.count).map { _ in PenaltyScratch(configuration, samples: first.rows) }
        return sumOverTiles(samples: samples) { range, worker, sums in
            let scratch = scratch[worker]
            let product = range.lowerBound == 0 ? first : scratch.product
            if range.lowerBound > 0 { encoder.encoderProduct(input, range, into: product) }
            for sample in range {
                slope.activation.apply(
                    to: product.row(sample - range.lowerBound), into: activations.row(sample))
            }
            decode(
                range, activations.row(range.lowerBound), into: errorGradient.row(range.lowerBound), squaredError,
                samples: samples)
            takeBack(errorGradient.row(range.lowerBound), range, into: slopes.row(range.lowerBound))
            if hasGatePass { gatePass(range, product, scratch, samples: samples) }
            for sample in range {
                let row = sample - range.lowerBound
                slope.apply(
                    vectors, prices: slope.prices.pointer, count: m, product: product.row(row),
                    z: activations.row(sample), gateSlope: scratch.gate.pointer + (hasGatePass ? row * m : 0),
                    slope: slopes.row(sample), sums: sums, stride: m)
            }
        }
    }

    /// Runs `body` on every tile of samples with sums of its own, rows by `PenaltySum`, zeros at first, and adds them up:
    /// in the order of the tiles, on any number of threads.
    ///
    /// - Returns: the sums over all samples `[rows × latents]`.
    func sumOverTiles(
        samples: Int, _ body: (_ range: Range<Int>, _ worker: Int, _ sums: UnsafeMutablePointer<Float>) -> Void
    ) -> Matrix {
        let (tile, kinds) = (PenaltyTrainer.tile, PenaltySum.allCases.count)
        let tiles = (samples + tile - 1) / tile
        let partial = Matrix(rows: tiles * kinds, columns: configuration.latents)
        workers.forEach(samples, tile: tile) { range, worker in
            body(range, worker, partial.row(range.lowerBound / tile * kinds))
        }

        let sums = Matrix(rows: kinds, columns: configuration.latents)
        for tile in 0..<tiles { rsae_add_scaled(sums.pointer, 1, partial.row(tile * kinds), Int64(sums.count)) }
        return sums
    }

    /// Whether there is an auxiliary reconstruction from a gate.
    var hasGatePass: Bool { configuration.architecture == .gated && configuration.fidelity == .corrected }

    /// û − u of a tile's samples from their activations, scaled to its gradient `[range × D]`; squares go to `error`.
    ///
    /// Loss of a part of a sample: ‖û − u‖² / (samples · parts · ‖u‖²).
    private func decode(
        _ range: Range<Int>, _ z: UnsafePointer<Float>, into gradient: UnsafeMutablePointer<Float>, _ error: Matrix,
        samples: Int
    ) {
        let width = configuration.inputWidth
        multiply(
            rows: range.count, columns: width, inner: configuration.latents, z, stride: configuration.latents,
            weights.decoder.pointer, stride: width, into: gradient, stride: width)
        for sample in range {
            let row = gradient + (sample - range.lowerBound) * width
            rsae_add_scaled(row, -1, input.centered.row(sample), Int64(width))
            if configuration.hasPreBias, !configuration.subtractsPreBias {
                rsae_add_scaled(row, 1, weights.preBias.pointer, Int64(width))
            }
            scaleError(row, of: sample, error, samples: samples)
        }
    }

    /// Measures the parts of û − u of one sample and scales them to ∂L/∂û, in place.
    func scaleError(_ row: UnsafeMutablePointer<Float>, of sample: Int, _ error: Matrix, samples: Int) {
        let parts = configuration.parts
        let part = configuration.inputWidth / parts
        for place in 0..<parts {
            let piece = row + place * part
            error[sample, place] = rsae_dot(piece, piece, Int64(part))
            let norm = input.squaredNorm[sample, place]
            // A constant activation standardises to zero and has no relative error.
            let factor = norm > 0 ? 2 / (Float(samples * parts) * norm) : 0
            for column in 0..<part { piece[column] *= factor }
        }
    }

    /// ⟨∂L/∂û, w_j⟩ of a tile's samples `[range × latents]`.
    private func takeBack(
        _ gradient: UnsafePointer<Float>, _ range: Range<Int>, into slopes: UnsafeMutablePointer<Float>
    ) {
        let width = configuration.inputWidth
        multiply(
            rows: range.count, columns: configuration.latents, inner: width, gradient, stride: width,
            weights.decoder.pointer, stride: width, transposeB: true, into: slopes, stride: configuration.latents)
    }

    /// A gated dictionary's auxiliary reconstruction: from ReLU of the gate, through a decoder without
    /// gradient (arXiv 2404.16014, eq. 8).
    private func gatePass(_ range: Range<Int>, _ product: Matrix, _ scratch: PenaltyScratch, samples: Int) {
        for row in 0..<range.count {
            rsae_relu(
                product.row(row), weights.gateBias.pointer, Int64(configuration.latents), scratch.gate.row(row))
        }
        decode(range, scratch.gate.pointer, into: scratch.gateGradient.pointer, gateError, samples: samples)
        takeBack(scratch.gateGradient.pointer, range, into: scratch.gate.pointer)
    }

    /// ‖w_j‖ of every part `[parts × latents]`.
    private func decoderNorms() -> Matrix {
        let (m, parts) = (configuration.latents, configuration.parts)
        let part = configuration.inputWidth / parts
        let norms = Matrix(rows: parts, columns: m)
        workers.forEach(m, tile: 256) { tile, _ in
            for latent in tile {
                for place in 0..<parts {
                    let row = weights.decoder.row(latent) + place * part
                    norms[place, latent] = rsae_dot(row, row, Int64(part)).squareRoot()
                }
            }
        }
        return norms
    }

    private func sparsityLoss(_ sums: Matrix, _ slope: PenaltySlope, samples: Int) -> Float {
        var loss = 0.0
        for latent in 0..<configuration.latents {
            loss += Double(sums[PenaltySum.size.rawValue, latent]) * Double(slope.price(of: latent))
        }
        for sample in 0..<gateError.rows where configuration.fidelity == .corrected && sample < samples {
            let norm = Double(input.squaredNorm.pointer[sample])
            if norm > 0 { loss += Double(gateError.pointer[sample]) / norm / Double(samples) }
        }
        return Float(loss)
    }
}

/// Buffers of one worker for a tile.
final class PenaltyScratch: @unchecked Sendable {
    /// π `[tile × latents]`.
    let product: Matrix
    /// Gated: ReLU of the gate, then the gradients of the auxiliary reconstruction `[tile × latents]`.
    let gate: Matrix
    /// Gated: ∂L/∂û of the auxiliary reconstruction `[tile × D]`.
    let gateGradient: Matrix

    init(_ configuration: DictionaryConfiguration, samples: Int) {
        let isGated = configuration.architecture == .gated && configuration.fidelity == .corrected
        product = Matrix(scratchRows: samples, columns: configuration.latents)
        gate = Matrix(scratchRows: isGated ? samples : 0, columns: configuration.latents)
        gateGradient = Matrix(scratchRows: isGated ? samples : 0, columns: configuration.inputWidth)
    }
}
