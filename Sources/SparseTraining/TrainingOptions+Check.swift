import SparseCoding

extension TrainingOptions {
    /// Checks that nothing was asked for that the architecture does not have: it would be passed over in silence.
    static func check(
        _ choices: Choices, suit configuration: DictionaryConfiguration
    ) throws(SparseCodingError) {
        let name = configuration.architecture.rawValue
        func refuse(_ isGiven: Bool, _ setting: String, _ reason: String) throws(SparseCodingError) {
            if isGiven { throw .setting(name: setting, found: "given", allowed: "none for \(name): \(reason)") }
        }
        if configuration.k == nil {
            let auxiliary = choices.auxiliaryCoefficient ?? 0
            try refuse(auxiliary != 0, "auxiliary-coefficient", "AuxK goes with TopK")
            try refuse(choices.auxiliaryK != nil, "auxiliary-k", "AuxK goes with TopK")
        } else {
            try refuse(choices.sparsityCoefficient != nil, "lambda", "k keeps it sparse")
            try refuse(choices.sparsityWarmup != nil, "lambda-warmup", "k keeps it sparse")
        }
        if configuration.architecture != .jumprelu {
            try refuse(choices.bandwidth != nil, "bandwidth", "only jumprelu has one")
            try refuse(choices.initialThreshold != nil, "initial-threshold", "only jumprelu has one")
        }
        try refuse((choices.loadBalance ?? 0) != 0 && !configuration.routes, "load-balance", "it has no router")
        try refuse(
            choices.routerGradient != nil && !choosesRouterGradient(configuration), "router-gradient",
            "only corrected hard routing of several layers has a choice")
        try refuse(
            choices.removesParallelGradient == true && decoderNorm(configuration) != .unit,
            "removes-parallel-gradient", "its decoder directions do not have unit norm")
        let hasBias = configuration.hasPreBias
        try refuse(!hasBias && choices.initialBias ?? .zero != .zero, "initial-bias", "the authors' has no biases")
    }

    /// Checks every setting's range.
    func check() throws(SparseCodingError) {
        func require(
            _ holds: Bool, _ name: String, _ found: String, _ allowed: String
        ) throws(SparseCodingError) {
            guard holds else { throw .setting(name: name, found: found, allowed: allowed) }
        }

        func positive(_ name: String, _ value: Int, upTo most: Int = 1 << 40) throws(SparseCodingError) {
            try require(1...most ~= value, name, "\(value)", "1 … \(most)")
        }

        func positive(_ name: String, _ value: Float) throws(SparseCodingError) {
            try require(value.isFinite && value > 0, name, "\(value)", "a number above 0")
        }

        func notNegative(_ name: String, _ value: Float) throws(SparseCodingError) {
            try require(value.isFinite && value >= 0, name, "\(value)", "a number from 0")
        }

        func fraction(_ name: String, _ value: Double) throws(SparseCodingError) {
            try require(0...1 ~= value, name, "\(value)", "0 … 1")
        }
        // Tokens are numbered in 32 bits, and what one batch needs must fit in memory.
        try positive("batch-tokens", batchTokens, upTo: 1 << 24)
        try positive("steps", steps)
        try positive("learning-rate", learningRate)
        try require(
            betas.count == 2 && betas.allSatisfy { $0 >= 0 && $0 < 1 }, "betas", "\(betas)",
            "two numbers from 0, below 1")
        try positive("epsilon", epsilon)
        try fraction("warmup-fraction", warmupFraction)
        try fraction("decay-fraction", decayFraction)
        if let gradientClip { try positive("gradient-clip", gradientClip) }
        try positive("normalize-every", normalizeEvery)
        try notNegative("load-balance", loadBalance)
        if let auxiliary {
            try notNegative("auxiliary-coefficient", auxiliary.coefficient)
            try positive("auxiliary-k", auxiliary.k)
        }
        try positive("dead-after", deadAfterTokens)
        if let sparsity {
            try notNegative("lambda", sparsity.coefficient)
            try fraction("lambda-warmup", sparsity.warmupFraction)
            try positive("bandwidth", sparsity.bandwidth)
            try positive("initial-threshold", sparsity.initialThreshold)
        }
    }
}
