package import SparseCoding

/// The options of training, apart from the dictionary's configuration and the data.
package struct TrainingOptions: Sendable, Encodable, Equatable {
    /// Tokens of a batch.
    package let batchTokens: Int
    /// Number of steps.
    package let steps: Int
    /// k of BatchTopK: the mean number of latents kept of a sample; nil where the configuration's k is kept of each.
    package let batchK: Int?
    /// m_1 < … < m of a Matryoshka; nil for none.
    package let prefixes: [Int]?
    /// Peak learning rate.
    package let learningRate: Float
    /// Adam's decays of the first and second moment.
    package let betas: [Float]
    /// Adam's ε.
    package let epsilon: Float
    /// Fraction of the steps over which the rate warms up.
    package let warmupFraction: Double
    /// Fraction of the steps over which the rate decays.
    package let decayFraction: Double
    /// The maximum norm of the whole gradient; nil for none.
    package let gradientClip: Float?
    /// The constraint on the decoder's norms.
    package let decoderNorm: DecoderNorm
    /// The decoder's directions are normalised after every step whose number is a multiple of this.
    package let normalizeEvery: Int
    /// Whether a decoder direction's gradient is projected orthogonal to the direction (Gao et al. 2024, appendix A.1).
    package let removesParallelGradient: Bool
    /// The initial b_pre.
    package let initialBias: InitialBias
    /// Weight of the load-balance term L · Σ_l f_l P_l (Fedus et al. 2021, arXiv 2101.03961, eq. 4); 0 is none.
    package let loadBalance: Float
    /// The router's gradient; nil without a router or if it follows from the loss.
    package let routerGradient: RouterGradient?
    /// Tokens that a router reads at a drawn layer; nil for none.
    package let exploration: ExplorationSchedule?
    /// The errors a router descends that learns by them; nil for other routers.
    package let routerErrors: RouterErrors?
    /// The AuxK term, or none.
    package let auxiliary: AuxiliaryLoss?
    /// The sparsity term of an architecture without k.
    package let sparsity: SparsityPenalty?

    /// A latent that has not fired for this many tokens is dead: ten million, or a tenth of a short run.
    package let deadAfterTokens: Int

    /// Makes options for a configuration. Unset values take the defaults of the configuration's fidelity: the
    /// reference's settings (method of `src/utils.py`), or the corrected ones: AuxK, load balance, a router that
    /// explores and learns from every layer's error, projected gradient, initial bias at the mean, and a rate scaled by
    /// 1/√m (as in EleutherAI/sparsify, `trainer.py`).
    ///
    /// - Parameter batchK: k of BatchTopK, for a configuration whose latents share one threshold; nil for others.
    /// - Throws: `SparseCodingError.setting` naming the first setting out of range, or one that the architecture does
    ///   not have.
    package init(
        _ configuration: DictionaryConfiguration, batchTokens: Int, steps: Int, batchK: Int? = nil,
        choices: Hyperparameters = Hyperparameters()
    ) throws(SparseCodingError) {
        try choices.check(suit: configuration)
        let setup = TrainingSetup(configuration: configuration, batchTokens: batchTokens, steps: steps)
        // Tokens are numbered in 32 bits, and what one batch needs must fit in memory.
        try Allowed.upTo(1 << 24).check(batchTokens, "`batchTokens`")
        try Allowed.upTo().check(steps, "`steps`")
        if let batchK {
            try Allowed.upTo(configuration.latents).check(batchK, "k, the mean number of active latents,")
            try Allowed("from \(Self.leastBatch) with `sparsity` batchtopk, whose threshold is a batch's") {
                $0 >= Self.leastBatch
            }.check(batchTokens, "`batchTokens`")
        }
        self.batchK = batchK
        prefixes = try Self.prefixes(choices, configuration)
        self.batchTokens = batchTokens
        self.steps = steps
        learningRate = try Hyperparameters.learningRate.value(choices.learningRate, setup)
        betas = [try Hyperparameters.adamBeta1.value(choices.adamBeta1, setup), 0.999]
        epsilon = 1e-8
        warmupFraction = try Hyperparameters.warmupFraction.value(choices.warmupFraction, setup)
        decayFraction = try Hyperparameters.decayFraction.value(choices.decayFraction, setup)
        gradientClip = try Hyperparameters.gradientClip.checked(choices.gradientClip)
        decoderNorm = DecoderNorm(of: configuration)
        normalizeEvery = try Hyperparameters.normalizeEvery.value(choices.normalizeEvery, setup)
        removesParallelGradient = try Hyperparameters.removesParallelGradient.value(
            choices.removesParallelGradient, setup)
        initialBias = try Hyperparameters.initialBias.value(choices.initialBias, setup)
        loadBalance = try Hyperparameters.loadBalance.value(choices.loadBalance, setup)
        routerGradient =
            configuration.choosesRouterGradient
            ? try Hyperparameters.routerGradient.value(choices.routerGradient, setup) : nil
        if routerGradient == .layerErrors {
            exploration = try ExplorationSchedule(choices, setup)
            routerErrors = try Hyperparameters.routerErrors.value(choices.routerErrors, setup)
        } else {
            (exploration, routerErrors) = (nil, nil)
            try Self.refuseExploration(choices)
        }
        auxiliary = configuration.keepsByCount ? try AuxiliaryLoss(choices, setup) : nil
        deadAfterTokens = try Hyperparameters.deadAfterTokens.value(choices.deadAfterTokens, setup)
        sparsity = configuration.keepsByCount ? nil : try SparsityPenalty(choices, setup)
    }

    /// Choices that go with layer errors alone, where they matter.
    private static func refuseExploration(_ choices: Hyperparameters) throws(SparseCodingError) {
        let given = [
            "exploration": try Hyperparameters.exploration.checked(choices.exploration) ?? 0 > 0,
            "finalExploration": try Hyperparameters.finalExploration.checked(choices.finalExploration) ?? 0 > 0,
            "routerErrors": choices.routerErrors ?? .own != .own,
        ]
        if let name = given.filter(\.value).keys.min() {
            throw .setting(name: "`\(name)`", found: "given", allowed: "only with `routerGradient` layerErrors")
        }
    }

    /// The fewest tokens of a batch whose least kept activation says something of the next.
    package static let leastBatch = 32

    /// The chosen prefixes, all latents the last.
    private static func prefixes(
        _ choices: Hyperparameters, _ configuration: DictionaryConfiguration
    ) throws(SparseCodingError) -> [Int]? {
        guard let chosen = try Hyperparameters.prefixes.checked(choices.prefixes) else { return nil }
        let m = configuration.latents
        try Allowed("at most \(m), the number of latents") { $0.allSatisfy { $0 <= m } }.check(chosen, "`prefixes`")
        return chosen.last == m ? chosen : chosen + [m]
    }
}
