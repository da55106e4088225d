extension TrainingOptions {
    /// What may be asked for; what is nil takes the default of architecture and fidelity.
    package struct Choices: Sendable, Codable, Equatable {
        /// Peak learning rate.
        package var learningRate: Float?
        /// Part of the steps over which the rate warms up.
        package var warmupFraction: Double?
        /// Part of the steps over which it decays.
        package var decayFraction: Double?
        /// The norm that the whole gradient does not exceed.
        package var gradientClip: Float?
        /// Steps between returns of the decoder to unit norm.
        package var normalizeEvery: Int?
        /// Whether a decoder direction's gradient loses its part parallel to the direction.
        package var removesParallelGradient: Bool?
        /// Where b_pre starts.
        package var initialBias: InitialBias?
        /// Weight of the load-balance term.
        package var loadBalance: Float?
        /// How a corrected hard router learns.
        package var routerGradient: RouterGradient?
        /// α of the AuxK term; 0 is none.
        package var auxiliaryCoefficient: Float?
        /// k_aux.
        package var auxiliaryK: Int?
        /// Tokens without firing after which a latent is dead.
        package var deadAfterTokens: Int?
        /// λ.
        package var sparsityCoefficient: Float?
        /// Part of the steps over which λ rises.
        package var sparsityWarmup: Double?
        /// ε of a JumpReLU.
        package var bandwidth: Float?
        /// θ of a JumpReLU at the start.
        package var initialThreshold: Float?

        /// Asks for what is named.
        package init(
            learningRate: Float? = nil, warmupFraction: Double? = nil, decayFraction: Double? = nil,
            gradientClip: Float? = nil, normalizeEvery: Int? = nil, removesParallelGradient: Bool? = nil,
            initialBias: InitialBias? = nil, loadBalance: Float? = nil, routerGradient: RouterGradient? = nil,
            auxiliaryCoefficient: Float? = nil, auxiliaryK: Int? = nil, deadAfterTokens: Int? = nil,
            sparsityCoefficient: Float? = nil, sparsityWarmup: Double? = nil, bandwidth: Float? = nil,
            initialThreshold: Float? = nil
        ) {
            self.learningRate = learningRate
            self.warmupFraction = warmupFraction
            self.decayFraction = decayFraction
            self.gradientClip = gradientClip
            self.normalizeEvery = normalizeEvery
            self.removesParallelGradient = removesParallelGradient
            self.initialBias = initialBias
            self.loadBalance = loadBalance
            self.routerGradient = routerGradient
            self.auxiliaryCoefficient = auxiliaryCoefficient
            self.auxiliaryK = auxiliaryK
            self.deadAfterTokens = deadAfterTokens
            self.sparsityCoefficient = sparsityCoefficient
            self.sparsityWarmup = sparsityWarmup
            self.bandwidth = bandwidth
            self.initialThreshold = initialThreshold
        }
    }
}
