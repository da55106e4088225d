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
    let prices: Matrix
    private let trainer: PenaltyTrainer
    let activation: PenalisedActivation
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

    /// Turns ⟨∂L/∂û, w_j⟩ of one sample into ∂L/∂π, in place, and adds to the sums of `PenaltySum`.
    ///
    /// - Parameters:
    ///   - vectors: of `count` latents, all or some.
    ///   - prices: of these latents.
    ///   - product: π of these latents.
    ///   - z: their activations.
    ///   - gateSlope: a gated dictionary's ⟨∂L/∂û, w_j⟩ of the reconstruction from its gate.
    ///   - sums: rows by `PenaltySum`, `stride` floats apart.
    func apply(
        _ vectors: ActivationVectors, prices: UnsafePointer<Float>, count: Int, product: UnsafePointer<Float>,
        z: UnsafePointer<Float>, gateSlope: UnsafePointer<Float>, slope: UnsafeMutablePointer<Float>,
        sums: UnsafeMutablePointer<Float>, stride: Int
    ) {
        func sum(_ kind: PenaltySum) -> UnsafeMutablePointer<Float> { sums + kind.rawValue * stride }
        let isReference = trainer.configuration.fidelity == .reference
        switch (vectors.scale, vectors.offset) {
        case (let magnitude?, .some):
            rsae_gated_slopes(
                product, z, vectors.bias, magnitude, isReference ? nil : gateSlope, coefficient, Int64(count), slope,
                sum(.fired), sum(.size), sum(.bias), sum(.second), sum(.scale))
        case (let threshold?, nil):
            rsae_jump_slopes(
                product, vectors.bias, threshold, inverseBandwidth, coefficient, isReference ? 1 : 0, Int64(count),
                slope, sum(.fired), sum(.size), sum(.bias), sum(.second))
        case (nil, _):
            rsae_relu_slopes(z, prices, Int64(count), slope, sum(.fired), sum(.size), sum(.bias))
        }
    }

    /// For each latent the number that its product with its bias has to exceed to be within reach (`ReachedLatents`)
    /// `[1 × latents]`: 0, or the lower end of the window around a JumpReLU's threshold, rounded down.
    func bounds() -> Matrix {
        let bounds = Matrix(rows: 1, columns: trainer.configuration.latents)
        guard trainer.configuration.architecture == .jumprelu else { return bounds }
        for latent in 0..<bounds.count {
            let (threshold, half) = (activation.threshold.pointer[latent], 0.5 / inverseBandwidth)
            bounds.pointer[latent] = threshold - half - (abs(threshold) + half) * 1e-6
        }
        return bounds
    }

    /// What a sample adds to the sums of a latent that is not within reach `[rows × latents]`; nil for nothing. Only a
    /// JumpReLU of the reference has such a thing: it measures the window at z, which is 0 there.
    func unreachedSums(bounds: Matrix) -> Matrix? {
        let configuration = trainer.configuration
        guard configuration.architecture == .jumprelu, configuration.fidelity == .reference else { return nil }
        let m = configuration.latents
        let sums = Matrix(rows: PenaltySum.allCases.count, columns: m)
        let far = Matrix(rows: 2, columns: m)
        for latent in 0..<m {
            let bound = bounds.pointer[latent]
            far[0, latent] = bound - abs(bound) - 1 - activation.vectors.bias[latent]
        }
        apply(
            activation.vectors, prices: prices.pointer, count: m, product: far.row(0), z: far.row(1),
            gateSlope: far.row(1), slope: far.row(1), sums: sums.pointer, stride: m)
        return sums
    }
}
