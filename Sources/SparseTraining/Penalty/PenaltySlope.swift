import CKernels
import LinearAlgebra
import SparseCoding
import Vocabulary

/// The gradient through the activation function of a penalised dictionary, with its sparsity term (`SparsityPenalty`).
struct PenaltySlope {
    /// The penalty per unit of size, before decoder norms: λ / (samples · layers · (d − 1)); the reference's
    /// λ / (samples · latents); a JumpReLU's λ / samples for each firing.
    let coefficient: Float
    /// The penalty per unit of size for each latent `[1 × latents]`: the coefficient times its decoder norms.
    private let prices: Matrix
    private let trainer: PenaltyTrainer
    private let activation: PenalisedActivation
    private let inverseBandwidth: Float

    init(_ trainer: PenaltyTrainer, _ activation: PenalisedActivation, samples: Int, norms: Matrix?) {
        self.trainer = trainer
        self.activation = activation
        let configuration = trainer.configuration
        let lambda = trainer.penalty.coefficient(at: trainer.state.stepsDone, of: trainer.options.steps)
        coefficient =
            switch (configuration.architecture, configuration.fidelity) {
            case (.jumprelu, _): lambda / Float(samples)
            case (_, .reference): lambda / (Float(samples) * Float(configuration.latents))
            case (_, .corrected):
                lambda / (Float(samples) * Float(configuration.parts) * Float(configuration.dModel - 1))
            }
        inverseBandwidth = 1 / trainer.penalty.bandwidth
        prices = Matrix(rows: 1, columns: configuration.latents)
        for latent in 0..<configuration.latents {
            guard let norms else {
                prices.pointer[latent] = coefficient
                continue
            }

            var norm: Float = 0
            for part in 0..<norms.rows { norm += norms[part, latent] }
            prices.pointer[latent] = coefficient * norm
        }
    }

    /// The penalty per unit of a latent's size.
    func price(of latent: Int) -> Float { prices.pointer[latent] }

    /// Turns ⟨∂L/∂û, w_j⟩ of a tile's samples into ∂L/∂π, in place, and accumulates the sums of `PenaltySum`.
    ///
    /// - Parameter sums: rows by `PenaltySum`, `[rows × latents]`, zeros.
    func apply(_ range: Range<Int>, _ scratch: PenaltyScratch, sums: UnsafeMutablePointer<Float>) {
        let (configuration, weights) = (trainer.configuration, trainer.weights)
        let m = configuration.latents
        let reference: Int32 = configuration.fidelity == .reference ? 1 : 0
        func sum(_ kind: PenaltySum) -> UnsafeMutablePointer<Float> { sums + kind.rawValue * m }
        for sample in range {
            let row = sample - range.lowerBound
            let (z, slope) = (trainer.activations.row(sample), trainer.slopes.row(sample))
            switch configuration.architecture {
            case .gated:
                rsae_gated_slopes(
                    scratch.product.row(row), z, weights.gateBias.pointer, activation.magnitude.pointer,
                    reference != 0 ? nil : UnsafePointer(scratch.gate.row(row)), coefficient, Int64(m), slope,
                    sum(.fired), sum(.size), sum(.bias), sum(.second), sum(.scale))
            case .jumprelu:
                rsae_jump_slopes(
                    scratch.product.row(row), weights.latentBias.pointer, activation.threshold.pointer,
                    inverseBandwidth, coefficient, reference, Int64(m), slope, sum(.fired), sum(.size), sum(.bias),
                    sum(.second))
            default:
                rsae_relu_slopes(
                    z, prices.pointer, Int64(m), slope, sum(.fired), sum(.size), sum(.bias))
            }
        }
    }
}
