public import SparseCoding

/// Everything that decides how a RouteSAE dictionary is trained, apart from its shape and the data.
public struct RouteTrainingOptions: Sendable, Codable, Equatable {
    /// Tokens of a batch.
    public let batchTokens: Int
    /// Number of steps.
    public let steps: Int
    /// Peak learning rate.
    public let learningRate: Float
    /// Adam's decays of the first and second moment.
    public let betas: [Float]
    /// Adam's ε.
    public let epsilon: Float
    /// Part of the steps over which the rate warms up.
    public let warmupFraction: Double
    /// Part of the steps over which the rate decays.
    public let decayFraction: Double
    /// The decoder's directions return to unit norm after every step whose number is a multiple of this.
    public let normalizeEvery: Int
    /// Whether a decoder direction's gradient loses its part parallel to the direction (Gao et al. 2024, appendix A.1).
    public let removesParallelGradient: Bool
    /// Weight of the load-balance term L · Σ_l f_l P_l (Fedus et al. 2021, arXiv 2101.03961, eq. 4); 0 is none.
    public let loadBalance: Float
    /// The AuxK term, or none.
    public let auxiliary: AuxiliaryLoss?
    /// Whether b_pre starts at the mean of the first batch instead of zero.
    public let startsAtMean: Bool

    /// Makes options for a configuration. What is left out takes the default of the configuration's fidelity: the
    /// reference's settings (method of `src/utils.py`), or the corrected ones: AuxK, balanced load, projected
    /// gradient, initial bias at the mean and a rate scaled by 1/√m (as in EleutherAI/sparsify, `trainer.py`).
    ///
    /// - Throws: `SparseCodingError.setting` naming the first setting out of range.
    public init(
        _ configuration: RouteConfiguration,
        batchTokens: Int,
        steps: Int,
        learningRate: Float? = nil,
        normalizeEvery: Int? = nil,
        removesParallelGradient: Bool? = nil,
        loadBalance: Float? = nil,
        auxiliaryCoefficient: Float? = nil,
        auxiliaryK: Int? = nil,
        deadAfterTokens: Int? = nil
    ) throws(SparseCodingError) {
        let corrected = configuration.fidelity == .corrected
        self.batchTokens = batchTokens
        self.steps = steps
        self.learningRate = learningRate ?? RouteTrainingOptions.defaultRate(configuration)
        betas = [0.9, 0.999]
        epsilon = 1e-8
        warmupFraction = 0.05
        decayFraction = 0.2
        self.normalizeEvery = normalizeEvery ?? 10
        self.removesParallelGradient = removesParallelGradient ?? corrected
        self.loadBalance = loadBalance ?? (corrected && configuration.layers.count > 1 ? 0.01 : 0)
        startsAtMean = corrected
        let coefficient = auxiliaryCoefficient ?? (corrected ? 1 / 32 : 0)
        if coefficient == 0 {
            auxiliary = nil
        } else {
            // Ten million tokens in a long run; a tenth of a short one.
            let (total, overflow) = batchTokens.multipliedReportingOverflow(by: steps)
            auxiliary = AuxiliaryLoss(
                coefficient: coefficient,
                k: auxiliaryK ?? max(configuration.dModel / 2, 1),
                deadAfterTokens: deadAfterTokens ?? min(10_000_000, max((overflow ? .max : total) / 10, 1)))
        }
        try check()
    }

    /// 5e-4 in the reference; 2e-4 · √(2¹⁴ / m), the sparsify rule times 5 for our short runs, when corrected.
    static func defaultRate(_ configuration: RouteConfiguration) -> Float {
        switch configuration.fidelity {
        case .reference: 5e-4
        case .corrected: 1e-3 * (16_384 / Float(configuration.latents)).squareRoot()
        }
    }

    /// Reads options, by the same rules as they are made.
    ///
    /// - Throws: `DecodingError` for a missing or ill-typed key; `SparseCodingError.setting` naming the first setting
    ///   out of range.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        batchTokens = try values.decode(Int.self, forKey: .batchTokens)
        steps = try values.decode(Int.self, forKey: .steps)
        learningRate = try values.decode(Float.self, forKey: .learningRate)
        betas = try values.decode([Float].self, forKey: .betas)
        epsilon = try values.decode(Float.self, forKey: .epsilon)
        warmupFraction = try values.decode(Double.self, forKey: .warmupFraction)
        decayFraction = try values.decode(Double.self, forKey: .decayFraction)
        normalizeEvery = try values.decode(Int.self, forKey: .normalizeEvery)
        removesParallelGradient = try values.decode(Bool.self, forKey: .removesParallelGradient)
        loadBalance = try values.decode(Float.self, forKey: .loadBalance)
        auxiliary = try values.decodeIfPresent(AuxiliaryLoss.self, forKey: .auxiliary)
        startsAtMean = try values.decode(Bool.self, forKey: .startsAtMean)
        try check()
    }

    private func check() throws(SparseCodingError) {
        func require(
            _ holds: Bool, _ name: String, _ found: String, _ allowed: String
        ) throws(SparseCodingError) {
            guard holds else { throw .setting(name: name, found: found, allowed: allowed) }
        }
        func positive(_ name: String, _ value: Int, upTo most: Int = 1 << 40) throws(SparseCodingError) {
            try require(1...most ~= value, name, "\(value)", "1 … \(most)")
        }
        func fraction(_ name: String, _ value: Double) throws(SparseCodingError) {
            try require(0...1 ~= value, name, "\(value)", "0 … 1")
        }
        // Tokens are numbered in 32 bits, and what one batch needs must fit in memory.
        try positive("batch-tokens", batchTokens, upTo: 1 << 24)
        try positive("steps", steps)
        try require(learningRate.isFinite && learningRate > 0, "learning-rate", "\(learningRate)", "a number above 0")
        try require(
            betas.count == 2 && betas.allSatisfy { $0 >= 0 && $0 < 1 }, "betas", "\(betas)",
            "two numbers from 0, below 1")
        try require(epsilon.isFinite && epsilon > 0, "epsilon", "\(epsilon)", "a number above 0")
        try fraction("warmup-fraction", warmupFraction)
        try fraction("decay-fraction", decayFraction)
        try positive("normalize-every", normalizeEvery)
        try require(loadBalance.isFinite && loadBalance >= 0, "load-balance", "\(loadBalance)", "a number from 0")
        guard let auxiliary else { return }
        try require(
            auxiliary.coefficient.isFinite && auxiliary.coefficient >= 0, "auxiliary-coefficient",
            "\(auxiliary.coefficient)", "a number from 0")
        try positive("auxiliary-k", auxiliary.k)
        try positive("dead-after", auxiliary.deadAfterTokens)
    }
}
