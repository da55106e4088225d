import Foundation
import SparseCoding
import SparseTraining
import Testing
import Vocabulary

/// Which choices apply to which system, and the defaults.
@Suite struct TrainingChoicesTests {
    private static let route = Fidelity.allCases.map {
        DictionarySystem(architecture: .route, fidelity: $0, usesTopK: true)
    }

    private static let systems = DictionarySystem.penalised + DictionarySystem.topK + route

    private func options(
        _ system: DictionarySystem, _ choices: Hyperparameters = .init()
    ) throws -> TrainingOptions {
        try TrainingOptions(
            try system.configuration(dModel: 10, latents: 64), batchTokens: 100, steps: 50, choices: choices)
    }

    /// The message of the refusal; nil where there is none.
    private func refusal(_ system: DictionarySystem, _ choices: Hyperparameters) -> String? {
        do {
            _ = try options(system, choices)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: systems) func refusesWhatTheSystemDoesNotHave(system: DictionarySystem) {
        let name = system.architecture.rawValue
        func check(_ choices: Hyperparameters, _ setting: String, _ reason: String?) {
            let expected = reason.map { "\(setting) is given; allowed: none for \(name): \($0)" }
            #expect(refusal(system, choices) == expected)
        }

        let auxiliary = system.usesTopK ? nil : "AuxK goes with TopK"
        check(
            .init { $0.auxiliaryCoefficient = 0.1 }, "`auxiliaryCoefficient`", auxiliary)
        check(
            .init { $0.auxiliaryCoefficient = 0 }, "`auxiliaryCoefficient`", nil)
        check(
            .init { $0.auxiliaryK = 7 }, "`auxiliaryK`", auxiliary)
        let penalty = system.usesTopK ? "k keeps it sparse" : nil
        check(
            .init { $0.lambda = 1 }, "`lambda`", penalty)
        check(
            .init { $0.lambdaWarmup = 0.5 }, "`lambdaWarmup`", penalty)
        let threshold = system.architecture == .jumprelu ? nil : "only jumprelu has one"
        check(
            .init { $0.bandwidth = 0.1 }, "`bandwidth`", threshold)
        check(
            .init { $0.initialThreshold = 0.1 }, "`initialThreshold`", threshold)
        check(
            .init { $0.loadBalance = 0.1 }, "`loadBalance`", system.architecture == .route ? nil : "it has no router")
        check(
            .init { $0.loadBalance = 0 }, "`loadBalance`", nil)
        let choosesGradient = system.architecture == .route && system.fidelity == .corrected
        check(
            .init { $0.routerGradient = .straightThrough }, "`routerGradient`",
            choosesGradient ? nil : "only corrected hard routing of several layers has a choice")
        let choice = choosesGradient ? nil : "only corrected hard routing of several layers has a choice"
        check(.init { $0.exploration = 0.5 }, "`exploration`", choice)
        check(.init { $0.exploration = 0 }, "`exploration`", nil)
        check(.init { $0.finalExploration = 0.5 }, "`finalExploration`", choice)
        check(.init { $0.routerErrors = .spanning }, "`routerErrors`", choice)
        check(.init { $0.routerErrors = .own }, "`routerErrors`", nil)
        let hasNoBias = system.architecture == .crosscoder && system.fidelity == .reference
        let bias = hasNoBias ? "the authors' has no biases" : nil
        check(
            .init { $0.initialBias = .mean }, "`initialBias`", bias)
        check(
            .init { $0.initialBias = .geometricMedian }, "`initialBias`", bias)
        check(
            .init { $0.initialBias = .zero }, "`initialBias`", nil)
        // g − ⟨g, w⟩ w is a projection only where the whole of w has unit norm.
        let isUnit =
            system.architecture == .crosscoder
            ? system.usesTopK && system.fidelity == .corrected
            : system.architecture != .vanilla || system.fidelity == .reference
        let norm = isUnit ? nil : "its decoder directions do not have unit norm"
        check(
            .init { $0.removesParallelGradient = true }, "`removesParallelGradient`", norm)
        check(
            .init { $0.removesParallelGradient = false }, "`removesParallelGradient`", nil)
    }

    @Test("One layer has no router load to balance") func aRouterOfOneLayerHasNoLoadToBalance() throws {
        let configuration = try DictionaryConfiguration(dModel: 10, latents: 64, k: 3, layers: [4])
        #expect(throws: SparseCodingError.self) {
            try TrainingOptions(
                configuration, batchTokens: 1, steps: 1,
                choices: .init { $0.loadBalance = 0.1 })
        }
    }

    @Test(arguments: DictionarySystem.penalised) func refusesPenaltiesOutOfRange(system: DictionarySystem) {
        for value in [Float.nan, .infinity, -0.1] {
            #expect(
                refusal(
                    system,
                    .init { $0.lambda = value }) == "`lambda` is \(value); allowed: a number from 0")
        }
        for value in [Double.nan, .infinity, -0.1, 1.1] {
            #expect(
                refusal(
                    system,
                    .init { $0.lambdaWarmup = value }) == "`lambdaWarmup` is \(value); allowed: 0 … 1")
        }
        #expect(
            refusal(
                system,
                .init {
                    $0.lambda = 0
                    $0.lambdaWarmup = 1
                }) == nil)
        guard system.architecture == .jumprelu else { return }
        for value in [Float.nan, .infinity, 0, -0.1] {
            #expect(
                refusal(
                    system,
                    .init { $0.bandwidth = value }) == "`bandwidth` is \(value); allowed: a number above 0")
            #expect(
                refusal(
                    system,
                    .init { $0.initialThreshold = value })
                    == "`initialThreshold` is \(value); allowed: a number above 0")
        }
    }

    @Test(arguments: systems) func refusesWhatIsOutOfRangeForAll(system: DictionarySystem) {
        for value in [Float.nan, .infinity, 0, -1] {
            for (name, choices) in [
                (
                    "`learningRate`",
                    Hyperparameters { $0.learningRate = value }
                ),
                (
                    "`gradientClip`",
                    Hyperparameters { $0.gradientClip = value }
                ),
            ] {
                #expect(refusal(system, choices) == "\(name) is \(value); allowed: a number above 0")
            }
        }
        for value in [Double.nan, -0.1, 1.1] {
            #expect(
                refusal(
                    system,
                    .init { $0.warmupFraction = value }) == "`warmupFraction` is \(value); allowed: 0 … 1")
            #expect(
                refusal(
                    system,
                    .init { $0.decayFraction = value }) == "`decayFraction` is \(value); allowed: 0 … 1")
        }
        #expect(
            refusal(
                system,
                .init { $0.normalizeEvery = 0 }) == "`normalizeEvery` is 0; allowed: 1 … 1099511627776")
    }

    /// The table of defaults.
    @Test(arguments: systems) func defaults(system: DictionarySystem) throws {
        let options = try options(system)
        let corrected = system.fidelity == .corrected
        // 1e-3 · √(2¹⁴ / 64)
        #expect(abs(options.learningRate - (corrected ? 0.016 : 5e-4)) < 1e-8)
        #expect(options.betas == [0.9, 0.999] && options.epsilon == 1e-8 && options.normalizeEvery == 10)
        #expect(options.warmupFraction == 0.05 && options.decayFraction == 0.2 && options.gradientClip == nil)
        #expect(options.initialBias == (corrected ? .mean : .zero))
        #expect(options.loadBalance == (corrected && system.architecture == .route ? 0.01 : 0))
        #expect(options.auxiliary == (corrected && system.usesTopK ? AuxiliaryLoss(coefficient: 1 / 32, k: 5) : nil))
        #expect(options.deadAfterTokens == 500)
        let explores = corrected && system.architecture == .route
        #expect(options.exploration?.first == (explores ? 1 : nil) && options.exploration?.last == (explores ? 0 : nil))
        #expect(options.routerErrors == (explores ? .spanning : nil))
        #expect(options.removesParallelGradient == (corrected && options.decoderNorm == .unit))
        #expect((options.sparsity == nil) == system.usesTopK)
        guard let sparsity = options.sparsity else { return }
        // A sum of activations: 5 · √(10 / 4096).
        let lambda: Float = corrected ? (system.architecture == .jumprelu ? 1e-3 : 0.247052942) : 5e-4
        #expect(abs(sparsity.coefficient / lambda - 1) < 1e-6)
        #expect(sparsity.warmupFraction == (corrected ? 0.05 : 0))
        #expect(sparsity.bandwidth == (corrected ? 0.05 : 1e-3))
        #expect(sparsity.initialThreshold == (corrected ? 0.05 : 1e-3))
    }

    @Test func survivesJSON() throws {
        let choices = Hyperparameters {
            $0.learningRate = 0.1
            $0.warmupFraction = 0.3
            $0.gradientClip = 1.5
            $0.normalizeEvery = 7
            $0.removesParallelGradient = false
            $0.routerGradient = .straightThrough
            $0.exploration = 0.25
            $0.finalExploration = 0
            $0.routerErrors = .own
            $0.auxiliaryK = 9
            $0.lambda = 0.3
        }
        for choices in [choices, .init()] {
            let json = try JSONEncoder().encode(choices)
            #expect(try JSONDecoder().decode(Hyperparameters.self, from: json) == choices)
        }
    }
}
