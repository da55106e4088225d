extension TrainingOptions {
    /// What may be asked for; what is nil takes the default of architecture and fidelity.
    public struct Choices: Sendable, Codable, Equatable {
        /// Peak learning rate.
        public var learningRate: Float?
        /// Part of the steps over which the rate warms up.
        public var warmupFraction: Double?
        /// Part of the steps over which it decays.
        public var decayFraction: Double?
        /// The norm that the whole gradient does not exceed.
        public var gradientClip: Float?
        /// Steps between returns of the decoder to unit norm.
        public var normalizeEvery: Int?
        /// Whether a decoder direction's gradient loses its part parallel to the direction.
        public var removesParallelGradient: Bool?
        /// Where b_pre starts.
        public var initialBias: InitialBias?
        /// Weight of the load-balance term.
        public var loadBalance: Float?
        /// How a corrected hard router learns.
        public var routerGradient: RouterGradient?
        /// α of the AuxK term; 0 is none.
        public var auxiliaryCoefficient: Float?
        /// k_aux.
        public var auxiliaryK: Int?
        /// Tokens without firing after which a latent is dead.
        public var deadAfterTokens: Int?
        /// λ.
        public var sparsityCoefficient: Float?
        /// Part of the steps over which λ rises.
        public var sparsityWarmup: Double?
        /// ε of a JumpReLU.
        public var bandwidth: Float?
        /// θ of a JumpReLU at the start.
        public var initialThreshold: Float?

        /// Asks for what is named.
        public init(
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
