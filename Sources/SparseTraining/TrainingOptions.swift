package import SparseCoding

/// Everything that decides how a dictionary is trained, apart from its shape and the data.
package struct TrainingOptions: Sendable, Codable, Equatable {
    /// Tokens of a batch.
    package let batchTokens: Int
    /// Number of steps.
    package let steps: Int
    /// Peak learning rate.
    package let learningRate: Float
    /// Adam's decays of the first and second moment.
    package let betas: [Float]
    /// Adam's ε.
    package let epsilon: Float
    /// Part of the steps over which the rate warms up.
    package let warmupFraction: Double
    /// Part of the steps over which the rate decays.
    package let decayFraction: Double
    /// The norm of the whole gradient that is not exceeded, or none.
    package let gradientClip: Float?
    /// What holds the decoder's norms.
    package let decoderNorm: DecoderNorm
    /// The decoder's directions return to unit norm after every step whose number is a multiple of this.
    package let normalizeEvery: Int
    /// Whether a decoder direction's gradient loses its part parallel to the direction (Gao et al. 2024, appendix A.1).
    package let removesParallelGradient: Bool
    /// Where b_pre starts.
    package let initialBias: InitialBias
    /// Weight of the load-balance term L · Σ_l f_l P_l (Fedus et al. 2021, arXiv 2101.03961, eq. 4); 0 is none.
    package let loadBalance: Float
    /// How the router learns; nil where there is none or its gradient follows from the loss.
    package let routerGradient: RouterGradient?
    /// The AuxK term, or none.
    package let auxiliary: AuxiliaryLoss?
    /// The sparsity term of an architecture without k.
    package let sparsity: SparsityPenalty?

    /// A latent that has not fired for this many tokens is dead: ten million, or a tenth of a short run.
    package let deadAfterTokens: Int

    /// Makes options for a configuration. What is left open takes the default of the configuration's fidelity: the
    /// reference's settings (method of `src/utils.py`), or the corrected ones: AuxK, balanced load, a router that learns from every layer's error, projected gradient,
    /// initial bias at the mean, and a rate scaled by 1/√m (as in EleutherAI/sparsify, `trainer.py`).
    ///
    /// - Throws: `SparseCodingError.setting` naming the first setting out of range, or one that the architecture does
    ///   not have.
    package init(
        _ configuration: DictionaryConfiguration, batchTokens: Int, steps: Int, choices: Choices = Choices()
    ) throws(SparseCodingError) {
        try TrainingOptions.check(choices, suit: configuration)
        let corrected = configuration.fidelity == .corrected
        self.batchTokens = batchTokens
        self.steps = steps
        learningRate = choices.learningRate ?? TrainingOptions.defaultRate(configuration)
        betas = [0.9, 0.999]
        epsilon = 1e-8
        warmupFraction = choices.warmupFraction ?? 0.05
        decayFraction = choices.decayFraction ?? 0.2
        gradientClip = choices.gradientClip
        decoderNorm = TrainingOptions.decoderNorm(configuration)
        normalizeEvery = choices.normalizeEvery ?? 10
        removesParallelGradient = choices.removesParallelGradient ?? (corrected && decoderNorm == .unit)
        initialBias = choices.initialBias ?? (corrected ? .mean : .zero)
        loadBalance = choices.loadBalance ?? (corrected && configuration.routes ? 0.01 : 0)
        routerGradient =
            TrainingOptions.choosesRouterGradient(configuration) ? choices.routerGradient ?? .layerErrors : nil
        let coefficient = choices.auxiliaryCoefficient ?? (corrected ? 1 / 32 : 0)
        if coefficient == 0 || configuration.k == nil {
            auxiliary = nil
        } else {
            auxiliary = AuxiliaryLoss(
                coefficient: coefficient, k: choices.auxiliaryK ?? max(configuration.dModel / 2, 1))
        }
        deadAfterTokens =
            choices.deadAfterTokens ?? TrainingOptions.deadAfterTokens(batchTokens: batchTokens, steps: steps)
        sparsity = configuration.k == nil ? TrainingOptions.penalty(configuration, choices) : nil
        try check()
    }

    /// Reads options, by the same rules as they are made.
    ///
    /// - Throws: `DecodingError` for a missing or ill-typed key; `SparseCodingError.setting` naming the first setting
    ///   out of range.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        batchTokens = try values.decode(Int.self, forKey: .batchTokens)
        steps = try values.decode(Int.self, forKey: .steps)
        learningRate = try values.decode(Float.self, forKey: .learningRate)
        betas = try values.decode([Float].self, forKey: .betas)
        epsilon = try values.decode(Float.self, forKey: .epsilon)
        warmupFraction = try values.decode(Double.self, forKey: .warmupFraction)
        decayFraction = try values.decode(Double.self, forKey: .decayFraction)
        gradientClip = try values.decodeIfPresent(Float.self, forKey: .gradientClip)
        decoderNorm = try values.decode(DecoderNorm.self, forKey: .decoderNorm)
        normalizeEvery = try values.decode(Int.self, forKey: .normalizeEvery)
        removesParallelGradient = try values.decode(Bool.self, forKey: .removesParallelGradient)
        initialBias = try values.decode(InitialBias.self, forKey: .initialBias)
        loadBalance = try values.decode(Float.self, forKey: .loadBalance)
        routerGradient = try values.decodeIfPresent(RouterGradient.self, forKey: .routerGradient)
        auxiliary = try values.decodeIfPresent(AuxiliaryLoss.self, forKey: .auxiliary)
        deadAfterTokens = try values.decode(Int.self, forKey: .deadAfterTokens)
        sparsity = try values.decodeIfPresent(SparsityPenalty.self, forKey: .sparsity)
        try check()
    }
}
