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
    /// Sums over the samples by `PenaltySum` `[rows × latents]`.
    var sums: Matrix
    /// Factor of each unit of a latent's size in the sparsity term, without decoder norms.
    var coefficient: Float
    /// ‖w_j‖ of every part `[parts × latents]`; nil if the penalty does not weigh by norms.
    var norms: Matrix?
}

extension PenaltyTrainer {
    /// Encodes, decodes and computes the gradient at the encoder's product, tile by tile.
    func forward(_ batch: ActivationBatch) throws -> PenaltyForward {
        let samples = batch.count
        encoder.roundWeights()
        try encoder.read(batch, into: input)
        if options.initialBias != .zero, state.stepsDone == 0 {
            input.moveBias(options.initialBias, of: weights, configuration, samples: samples, workers)
            try encoder.read(batch, into: input)
        }

        let m = configuration.latents
        let activation = PenalisedActivation(configuration, weights)
        let norms = options.decoderNorm == .free ? decoderNorms() : nil
        let slope = PenaltySlope(self, activation, samples: samples, norms: norms)
        let tile = DictionaryEncoder.tile
        let tiles = (samples + tile - 1) / tile
        // Each tile sums its own samples; the tiles are added in order, on any number of threads.
        let partial = Matrix(rows: tiles * PenaltySum.allCases.count, columns: m)
        let scratch = (0..<workers.count).map { _ in PenaltyScratch(configuration, samples: min(tile, samples)) }
        workers.forEach(samples, tile: tile) { range, worker in
            let scratch = scratch[worker]
            encoder.encoderProduct(input, range, into: scratch.product)
            for sample in range {
                activation.apply(
                    to: scratch.product.row(sample - range.lowerBound), into: activations.row(sample))
            }
            decode(
                range, activations.row(range.lowerBound), into: errorGradient.row(range.lowerBound), squaredError,
                samples: samples)
            takeBack(errorGradient.row(range.lowerBound), range, into: slopes.row(range.lowerBound))
            if configuration.architecture == .gated, configuration.fidelity == .corrected {
                gatePass(range, scratch, samples: samples)
            }
            slope.apply(range, scratch, sums: partial.row(range.lowerBound / tile * PenaltySum.allCases.count))
        }

        let sums = Matrix(rows: PenaltySum.allCases.count, columns: m)
        for tile in 0..<tiles {
            rsae_add_scaled(sums.pointer, 1, partial.row(tile * PenaltySum.allCases.count), Int64(sums.count))
        }

        var firing = 0.0
        for latent in 0..<m { firing += Double(sums[PenaltySum.fired.rawValue, latent]) }
        let summary = input.summarise(
            squaredError: squaredError, configuration, samples: samples, firing: Int(firing), workers)
        return PenaltyForward(
            summary: summary, sparsityLoss: sparsityLoss(sums, slope, samples: samples), sums: sums,
            coefficient: slope.coefficient, norms: norms)
    }

    /// û − u of a tile's samples from their activations, scaled to its gradient `[range × D]`; squares go to `error`.
    ///
    /// Loss of a part of a sample: ‖û − u‖² / (samples · parts · ‖u‖²).
    private func decode(
        _ range: Range<Int>, _ z: UnsafePointer<Float>, into gradient: UnsafeMutablePointer<Float>, _ error: Matrix,
        samples: Int
    ) {
        let (width, parts) = (configuration.inputWidth, configuration.parts)
        multiply(
            rows: range.count, columns: width, inner: configuration.latents, z, stride: configuration.latents,
            weights.decoder.pointer, stride: width, into: gradient, stride: width)
        let part = width / parts
        for sample in range {
            let row = gradient + (sample - range.lowerBound) * width
            rsae_add_scaled(row, -1, input.centered.row(sample), Int64(width))
            if configuration.hasPreBias, !configuration.subtractsPreBias {
                rsae_add_scaled(row, 1, weights.preBias.pointer, Int64(width))
            }
            for place in 0..<parts {
                let piece = row + place * part
                error[sample, place] = rsae_dot(piece, piece, Int64(part))
                let norm = input.squaredNorm[sample, place]
                // A constant activation standardises to zero and has no relative error.
                let factor = norm > 0 ? 2 / (Float(samples * parts) * norm) : 0
                for column in 0..<part { piece[column] *= factor }
            }
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
    private func gatePass(_ range: Range<Int>, _ scratch: PenaltyScratch, samples: Int) {
        for row in 0..<range.count {
            rsae_relu(
                scratch.product.row(row), weights.gateBias.pointer, Int64(configuration.latents), scratch.gate.row(row))
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
