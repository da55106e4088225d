import SparseCoding

/// The sparsity term of an architecture without k.
///
/// With S the penalty of a token as the architecture's own paper states it, the loss is NormMSE + λ · mean S / ‖u‖²,
/// where ‖u‖² = layers · (d − 1) for every standardised input: the paper's objective divided by a constant, so
/// that λ has the paper's meaning. S is
/// - `vanilla`, `crosscoder`: Σ_j z_j ‖w_j‖, for a crosscoder with the norms of all layers' directions added up;
/// - `gated`: Σ_j ReLU(π_j + b_gate,j);
/// - `jumprelu`: the number of latents above their threshold, and nothing is divided, since the paper's inputs have
///   ‖u‖² = 1.
///
/// The reference divides by the number of latents instead, and counts z without norms.
package struct SparsityPenalty: Sendable, Encodable, Equatable {
    /// λ.
    package let coefficient: Float
    /// Fraction of the steps over which λ rises from 0.
    package let warmupFraction: Double
    /// Width ε of the rectangle kernel that carries a gradient to JumpReLU's thresholds (arXiv 2407.14435, eq. 11–12).
    package let bandwidth: Float
    /// Initial θ.
    package let initialThreshold: Float

    /// Makes a penalty.
    package init(coefficient: Float, warmupFraction: Double, bandwidth: Float, initialThreshold: Float) {
        self.coefficient = coefficient
        self.warmupFraction = warmupFraction
        self.bandwidth = bandwidth
        self.initialThreshold = initialThreshold
    }

    /// The chosen penalty, or the default of the architecture.
    ///
    /// - Throws: `SparseCodingError.setting` for a value out of range.
    init(_ choices: Hyperparameters, _ setup: TrainingSetup) throws(SparseCodingError) {
        coefficient = try Hyperparameters.lambda.value(choices.lambda, setup)
        warmupFraction = try Hyperparameters.lambdaWarmup.value(choices.lambdaWarmup, setup)
        bandwidth = try Hyperparameters.bandwidth.value(choices.bandwidth, setup)
        initialThreshold = try Hyperparameters.initialThreshold.value(choices.initialThreshold, setup)
    }

    /// λ at a step of a run.
    package func coefficient(at step: Int, of steps: Int) -> Float {
        let warmup = Int(warmupFraction * Double(steps))
        return step < warmup ? coefficient * Float(step) / Float(warmup) : coefficient
    }
}
