import LinearAlgebra
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Vocabulary

/// BatchTopK and Matryoshka: losses, gradients and thresholds against naive loops.
@Suite struct BatchTopKTests {
    struct Rules: CustomTestStringConvertible {
        var layers = [2, 3, 5]
        var routing = RoutingMode.hard
        var gradient: RouterGradient?
        var batchK: Int? = 3
        var prefixes: [Int]?
        var dead: [Int] = []
        var testDescription: String {
            "\(layers) \(routing) \(gradient?.rawValue ?? "") k \(batchK ?? 0) \(prefixes ?? []) dead \(dead)"
        }
    }

    static let allRules = [
        Rules(layers: [4]), Rules(), Rules(gradient: .straightThrough), Rules(routing: .soft),
        Rules(dead: [1, 3, 8, 9]), Rules(layers: [4], prefixes: [2, 7, 20]), Rules(layers: [4], prefixes: [1, 19]),
        Rules(prefixes: [5, 10]), Rules(gradient: .straightThrough, prefixes: [5, 10]),
        Rules(routing: .soft, prefixes: [5, 10]), Rules(prefixes: [5, 10], dead: [1, 3, 8, 9]),
        Rules(batchK: nil, prefixes: [5, 10]),
    ]

    private func configuration(_ rules: Rules) throws -> DictionaryConfiguration {
        try DictionaryConfiguration(
            dModel: 7, latents: 20, k: rules.batchK == nil ? 3 : nil, layers: rules.layers, routing: rules.routing,
            thresholdForm: rules.batchK == nil ? nil : .shared)
    }

    private func trainer(
        _ configuration: DictionaryConfiguration, batchK: Int?, threads: Int = 2,
        _ choose: (inout Hyperparameters) -> Void
    ) throws -> TopKTrainer {
        let options = try TrainingOptions(
            configuration, batchTokens: 100, steps: 100, batchK: batchK,
            choices: .init {
                $0.exploration = 0
                choose(&$0)
            })
        return TopKTrainer(
            configuration: configuration, options: options, weights: randomWeights(configuration, seed: 3),
            workers: Workers(threads: threads))
    }

    @Test(arguments: allRules) func gradientsAreFiniteDifferences(rules: Rules) throws {
        let trainer = try trainer(try configuration(rules), batchK: rules.batchK) {
            $0.routerGradient = rules.gradient
            $0.loadBalance = rules.layers.count > 1 ? 0.7 : nil
            $0.prefixes = rules.prefixes
            $0.auxiliaryCoefficient = rules.dead.isEmpty ? 0 : 0.25
            $0.auxiliaryK = 3
            $0.deadAfterTokens = 50
        }
        for latent in rules.dead { trainer.state.tokensSinceFired[latent] = 50 }
        trainer.state.stepsDone = 1
        let batch = randomBatch(count: 31, layers: [2, 3, 4, 5], dModel: 7, seed: 6)
        var oracle = NaiveRoute(trainer.state.configuration, trainer.state.weights)
        oracle.loadBalance = rules.layers.count > 1 ? 0.7 : 0
        oracle.gradient = rules.gradient ?? .layerErrors
        oracle.batchK = rules.batchK
        oracle.prefixes = trainer.options.prefixes ?? []
        oracle.dead = rules.dead
        if !rules.dead.isEmpty { oracle.auxiliary = (0.25, 3) }
        let tokens = oracle.standardised(batch)
        let selections = oracle.select(tokens)
        if rules.batchK != nil {
            #expect(selections.reduce(0) { $0 + $1.latents.count } == 93)
            #expect(Set(selections.map(\.latents.count)).count > 1)
        }
        let losses = oracle.losses(tokens, selections)
        let (loss, gradients) = try trainer.gradients(batch)
        expectClose([loss], [Float(losses.total)], relative: 2e-6, "loss")
        for tensor in gradients.tensors where tensor.name != "threshold" {
            let expected = oracle.gradient(of: tensor.name, tokens, selections)
            expectClose(tensor.matrix.elements, expected, relative: 3e-5, absolute: 2e-8, tensor.name)
            if rules.layers.count > 1 || tensor.name != "router" {
                #expect(expected.contains { abs($0) > 1e-4 }, "\(tensor.name) has no gradient")
            }
        }

        let report = try trainer.step(batch)
        expectClose([report.loss], [Float(losses.main)], relative: 2e-6, "loss")
        expectClose([report.auxiliaryLoss], [Float(losses.auxiliary)], relative: 1e-5, absolute: 1e-9, "AuxK")
        let squares = selections.reduce(0.0) { $0 + $1.error.reduce(0) { $0 + $1 * $1 } }
        let mean = (0..<7).map { column in selections.reduce(0) { $0 + $1.u[column] } / 31 }
        let variance = selections.reduce(0.0) { $0 + zip($1.u, mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
        expectClose([report.explainedVariance], [Float(1 - squares / variance)], relative: 1e-5, "EV of the whole")
    }

    @Test func theThresholdIsTheRunningMeanOfTheLeastKept() throws {
        let trainer = try trainer(try configuration(Rules()), batchK: 3) { $0.initialBias = .zero }
        var expected = 0.0
        for step in 0..<30 {
            let batch = randomBatch(count: 80, layers: [2, 3, 5], dModel: 7, seed: UInt64(step))
            var oracle = NaiveRoute(trainer.state.configuration, trainer.state.weights)
            oracle.batchK = 3
            oracle.gradient = .layerErrors
            let selections = oracle.select(oracle.standardised(batch))
            let least = selections.flatMap { selection in selection.latents.map { oracle.activation($0, selection.u) } }
                .min()!
            expected += max(1 / Double(step + 1), 0.05) * (least - expected)
            let report = try trainer.step(batch)
            #expect(report.l0 == 3)
            expectClose(trainer.state.weights.threshold.elements, [Float(expected)], relative: 1e-4, "step \(step)")
        }
        #expect(trainer.state.firstMoment.threshold.elements == [0])
    }

    /// What a threshold leaves active outside training is k on the mean.
    @Test func theThresholdKeepsAsMany() throws {
        let configuration = try configuration(Rules(layers: [4]))
        let trainer = try trainer(configuration, batchK: 3) { _ in }
        for step in 0..<100 {
            try trainer.step(randomBatch(count: 100, layers: [4], dModel: 7, seed: UInt64(step)))
        }
        let batch = randomBatch(count: 2000, layers: [4], dModel: 7, seed: 1000)
        let encoder = DictionaryEncoder(
            configuration: configuration, weights: trainer.state.weights, workers: Workers(threads: 2))
        let input = AutoencoderInput(capacity: 2000, configuration: configuration)
        let latents = SparseLatents(capacity: 2000, configuration: configuration)
        try encoder.read(batch, into: input)
        encoder.encode(input, count: 2000, into: latents)
        let mean = (0..<2000).reduce(0) { $0 + Double(latents.counts[$1]) } / 2000
        #expect(abs(mean - 3) < 0.15, "\(mean)")
    }

    @Test("Threads and resuming change no bit") func bits() throws {
        let configuration = try configuration(Rules())
        func trainer(threads: Int) throws -> TopKTrainer {
            try self.trainer(configuration, batchK: 3, threads: threads) {
                $0.prefixes = [5, 12]
                $0.exploration = 0.5
                $0.gradientClip = 0.5
            }
        }
        let (one, other) = (try trainer(threads: 1), try trainer(threads: 3))
        var resumed: (any DictionaryTrainer)?
        for step in 0..<8 {
            let batch = keyedBatch(count: 100, dModel: 7, seed: UInt64(step))
            if step == 4 {
                let state = TrainerState(empty: configuration)
                for (tensor, source) in zip(state.tensors, one.state.tensors) {
                    tensor.matrix.update(from: source.matrix)
                }
                state.restore(stepsDone: 4, tokensSinceFired: one.state.tokensSinceFired)
                resumed = state.trainer(one.options, workers: Workers(threads: 2))
            }
            let report = try one.step(batch)
            #expect(try other.step(batch) == report)
            if let resumed { #expect(try resumed.step(batch) == report) }
        }
        for trainer in [other.state, resumed!.state] {
            for (tensor, same) in zip(one.state.tensors, trainer.tensors) {
                #expect(tensor.matrix.elements == same.matrix.elements, "\(tensor.name)")
            }
        }
    }

    @Test func refusesWhatContradicts() throws {
        func refusal(_ rules: Rules = Rules(), tokens: Int = 100, k: Int = 3, prefixes: [Int]? = nil) -> String {
            let error = #expect(throws: SparseCodingError.self) {
                try TrainingOptions(
                    try configuration(rules), batchTokens: tokens, steps: 1, batchK: rules.batchK == nil ? nil : k,
                    choices: .init { $0.prefixes = prefixes })
            }
            return error.map { "\($0)" } ?? ""
        }
        #expect(
            refusal(tokens: 31)
                == "`batchTokens` is 31; allowed: from 32 with `sparsity` batchtopk, whose threshold is a batch's")
        #expect(refusal(k: 21) == "k, the mean number of active latents, is 21; allowed: 1 … 20")
        for prefixes in [[], [0, 4], [4, 4], [5, 3]] {
            #expect(refusal(prefixes: prefixes) == "`prefixes` is \(prefixes); allowed: ascending numbers from 1")
        }
        #expect(refusal(prefixes: [4, 21]) == "`prefixes` is [4, 21]; allowed: at most 20, the number of latents")
        let error = #expect(throws: SparseCodingError.self) {
            try TrainingOptions(
                try DictionaryConfiguration(dModel: 7, latents: 20, k: 3, layers: [1, 2], fidelity: .reference),
                batchTokens: 100, steps: 1, choices: .init { $0.prefixes = [5] })
        }
        #expect(
            error.map { "\($0)" }
                == "`prefixes` is given; allowed: none for route: prefixes go with TopK and BatchTopK, corrected")
        let penalty = #expect(throws: SparseCodingError.self) {
            try TrainingOptions(
                try DictionaryConfiguration(
                    architecture: .jumprelu, dModel: 7, latents: 20, layers: [1], subtractsPreBias: true,
                    thresholdForm: .shared), batchTokens: 100, steps: 1, batchK: 3, choices: .init { $0.lambda = 1 })
        }
        #expect(penalty.map { "\($0)" } == "`lambda` is given; allowed: none for batchtopk: k keeps it sparse")
    }
}
