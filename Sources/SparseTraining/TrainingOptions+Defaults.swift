import SparseCoding

extension TrainingOptions {
    /// 5e-4 in the reference; 2e-4 · √(2¹⁴ / m), the sparsify rule times 5 for our short runs, when corrected.
    static func defaultRate(_ configuration: DictionaryConfiguration) -> Float {
        switch configuration.fidelity {
        case .reference: 5e-4
        case .corrected: 1e-3 * (16_384 / Float(configuration.latents)).squareRoot()
        }
    }

    /// Whether the loss itself says nothing of how the router learns.
    static func choosesRouterGradient(_ configuration: DictionaryConfiguration) -> Bool {
        configuration.routes && configuration.routing == .hard && configuration.fidelity == .corrected
    }

    /// Ten million tokens in a long run; a tenth of a short one.
    static func deadAfterTokens(batchTokens: Int, steps: Int) -> Int {
        let (total, overflow) = batchTokens.multipliedReportingOverflow(by: steps)
        return min(10_000_000, max((overflow ? .max : total) / 10, 1))
    }

    /// What each architecture's own paper does about the decoder's norms, or the authors' code.
    static func decoderNorm(_ configuration: DictionaryConfiguration) -> DecoderNorm {
        switch (configuration.architecture, configuration.fidelity) {
        case (.crosscoder, .reference): .unitPerLayer
        case (.crosscoder, .corrected): configuration.k == nil ? .free : .unit
        case (.vanilla, .corrected): .free
        default: .unit
        }
    }

    /// The penalty of an architecture without k.
    ///
    /// Defaults: a sum of activations grows with the norm of the inputs, √d, and the squared error with its square, so λ
    /// is scaled by √d from the 5 of Anthropic's update of April 2024, taken to belong to d = 4096. A JumpReLU's λ, θ and
    /// ε of 1e-3 belong to inputs of unit norm; to its θ and ε 0.05 corresponds here (at d = 2500, whose standardised
    /// inputs have norm 50). The reference's are those of its code.
    static func penalty(_ configuration: DictionaryConfiguration, _ choices: Choices) -> SparsityPenalty {
        let corrected = configuration.fidelity == .corrected
        let coefficient: Float =
            switch (configuration.architecture, corrected) {
            case (.jumprelu, true): 1e-3
            case (_, true): 5 * (Float(configuration.dModel) / 4096).squareRoot()
            case (_, false): 5e-4
            }
        return SparsityPenalty(
            coefficient: choices.sparsityCoefficient ?? coefficient,
            warmupFraction: choices.sparsityWarmup ?? (corrected ? 0.05 : 0),
            bandwidth: choices.bandwidth ?? (corrected ? 0.05 : 1e-3),
            initialThreshold: choices.initialThreshold ?? (corrected ? 0.05 : 1e-3))
    }
}
