import LinearAlgebra
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Vocabulary

@Suite struct RouteGradientTests {
    struct Rules: CustomTestStringConvertible {
        let routing: RoutingMode
        let aggregation: RouterAggregation
        let fidelity: Fidelity
        var loadBalance: Float = 0
        var layers = [2, 3, 5]
        var gradient: RouterGradient?
        var tokens = 24
        var testDescription: String {
            "\(fidelity) \(routing) \(aggregation) \(loadBalance) \(layers) \(gradient?.rawValue ?? "") \(tokens)"
        }
    }

    static let allRules =
        Fidelity.allCases.flatMap { fidelity in
            RoutingMode.allCases.flatMap { routing in
                RouterAggregation.allCases.flatMap { aggregation in
                    [0, 0.7].map { balance in
                        Rules(routing: routing, aggregation: aggregation, fidelity: fidelity, loadBalance: balance)
                    }
                }
            }
        } + Fidelity.allCases.map { Rules(routing: .hard, aggregation: .sum, fidelity: $0, layers: [4]) }
        + [24, 100].flatMap { tokens in
            // Of 100 tokens 85 are tried.
            RouterGradient.allCases.map {
                Rules(
                    routing: .hard, aggregation: .mean, fidelity: .corrected, loadBalance: 0.7, gradient: $0,
                    tokens: tokens)
            }
        }

    private func configuration(_ rules: Rules) throws -> DictionaryConfiguration {
        try DictionaryConfiguration(
            dModel: 7, latents: 20, k: 3, layers: rules.layers, routing: rules.routing, aggregation: rules.aggregation,
            fidelity: rules.fidelity)
    }

    /// A trainer past its first step, so that b_pre is as the test sets it.
    private func trainer(
        _ configuration: DictionaryConfiguration, _ options: TrainingOptions, seed: UInt64
    ) -> TopKTrainer {
        let weights = randomWeights(configuration, seed: seed)
        let trainer = TopKTrainer(
            configuration: configuration, options: options, weights: weights, workers: Workers(threads: 2))
        // After the trainer has brought the directions to unit norm: away from it again.
        for index in 0..<weights.decoder.count { weights.decoder.pointer[index] *= 0.8 + 0.01 * Float(index % 40) }
        trainer.state.stepsDone = 1
        return trainer
    }

    /// Whether the choices are the same for slightly changed weights: if not, a finite difference is meaningless.
    private func expectStable(_ oracle: NaiveRoute, _ tokens: [[[Double]]], _ selections: [NaiveRoute.Selection]) {
        for sign in [-1.0, 1] {
            var moved = oracle
            var generator = CounterGenerator(seed: 1)
            for name in moved.parameters.keys.sorted() {
                for index in moved.parameters[name]!.indices {
                    moved.parameters[name]![index] += sign * 2e-5 * (Double(generator.uniform()) - 0.5)
                }
            }
            for (before, after) in zip(selections, moved.select(tokens)) {
                #expect(before.layer == after.layer && before.latents == after.latents)
                #expect(before.deadLatents == after.deadLatents)
            }
        }
    }

    private func compare(
        _ trainer: TopKTrainer, _ oracle: NaiveRoute, _ batch: ActivationBatch, relative: Float = 2e-5
    ) throws {
        let tokens = oracle.standardised(batch)
        let selections = oracle.select(tokens)
        expectStable(oracle, tokens, selections)
        let (loss, gradients) = try trainer.gradients(batch)
        expectClose([loss], [Float(oracle.losses(tokens, selections).total)], relative: 2e-6, "loss")
        for (name, matrix) in gradients.tensors.map({ ($0.name, $0.matrix) }) {
            let expected = oracle.gradient(of: name, tokens, selections)
            expectClose(matrix.elements, expected, relative: relative, absolute: 1e-8, name)
            // Nothing is compared with zeros but the router of a single layer.
            if trainer.state.configuration.layers.count > 1 || name != "router" {
                #expect(expected.contains { abs($0) > 1e-4 }, "\(name) has no gradient")
            }
        }
    }

    @Test(arguments: allRules) func gradientsAreFiniteDifferences(rules: Rules) throws {
        let configuration = try configuration(rules)
        let options = try TrainingOptions(
            configuration, batchTokens: 100, steps: 100,
            choices: .init {
                $0.loadBalance = rules.loadBalance
                $0.routerGradient = rules.gradient
                $0.exploration = 0
                $0.auxiliaryCoefficient = 0
            })
        let batch = randomBatch(count: rules.tokens, layers: [2, 3, 4, 5], dModel: 7, seed: 2)
        let trainer = trainer(configuration, options, seed: 3)
        var oracle = NaiveRoute(configuration, trainer.state.weights)
        oracle.loadBalance = Double(rules.loadBalance)
        oracle.gradient = rules.gradient ?? .layerErrors
        try compare(trainer, oracle, batch)
    }

    /// AuxK with fewer, as many, and more dead latents than k_aux.
    @Test(arguments: Fidelity.allCases, [2, 4, 9]) func auxiliaryLoss(fidelity: Fidelity, deadCount: Int) throws {
        let configuration = try DictionaryConfiguration(
            dModel: 7, latents: 20, k: 3, layers: [2, 3, 5], fidelity: fidelity)
        let options = try TrainingOptions(
            configuration, batchTokens: 40, steps: 100,
            choices: .init {
                $0.exploration = 0
                $0.auxiliaryCoefficient = 0.25
                $0.auxiliaryK = 4
                $0.deadAfterTokens = 50
            })
        let trainer = trainer(configuration, options, seed: 5)
        // Dead in name: some of them are among the k largest as well, and gradients of both kinds add up.
        let dead = Array([1, 3, 4, 8, 9, 12, 15, 18, 19].prefix(deadCount))
        for latent in 0..<20 { trainer.state.tokensSinceFired[latent] = dead.contains(latent) ? 50 : 49 }
        let batch = randomBatch(count: 31, layers: [2, 3, 5], dModel: 7, seed: 6)
        #expect(TopKTrainer.auxiliaryTokens(count: 31, latents: 20, dead: deadCount) == 31)
        var oracle = NaiveRoute(configuration, trainer.state.weights)
        oracle.loadBalance = fidelity == .corrected ? 0.01 : 0
        oracle.gradient = .layerErrors
        oracle.auxiliary = (0.25, 4)
        oracle.dead = dead
        try compare(trainer, oracle, batch)

        let selections = oracle.select(oracle.standardised(batch))
        let losses = oracle.losses(oracle.standardised(batch), selections)
        trainer.state.stepsDone = 1
        let report = try trainer.step(batch)
        expectClose([report.loss], [Float(losses.main)], relative: 2e-6, "loss")
        expectClose([report.auxiliaryLoss], [Float(losses.auxiliary)], relative: 4e-6, "AuxK")
        expectClose([report.balanceLoss], [Float(losses.balance)], relative: 2e-6, "balance")
        #expect(report.deadShare == Float(deadCount) / 20)
    }

    /// Encodes at every layer cost at most a thirty-second of the batch's own, or one tile of 256.
    @Test func tokensTriedAreBoundedInCost() {
        for count in [1, 31, 32, 33, 1000, 8192, 100_000] {
            for layers in [2, 5, 17, 300] {
                let tried = TopKTrainer.triedTokens(count: count, layers: layers)
                #expect(tried >= 1 && tried <= count)
                #expect(tried == 1 || tried * layers <= max(256, count / 32))
                #expect(tried == count || (tried + 1) * layers > max(256, count / 32))
            }
        }
    }

    @Test func auxiliarySampleIsBoundedInCost() {
        for count in [1, 2, 31, 32, 33, 1000, 8192] {
            for latents in [20, 1000, 16_384] {
                for dead in [1, 20, latents / 2, latents] {
                    let sample = TopKTrainer.auxiliaryTokens(count: count, latents: latents, dead: dead)
                    #expect(sample >= 1 && sample <= count)
                    // Five products of [sample × dead] beside one of [count × latents].
                    #expect(sample <= 32 || 5 * sample * dead * 10 <= count * latents)
                    #expect(sample == count || sample >= 32)
                }
            }
        }
    }

    /// The errors of a single token, or of equal tokens, have no variance to be measured against.
    @Test("Constant errors give no auxiliary loss", arguments: [1, 8])
    func errorsThatDoNotVaryGiveNoAuxiliaryLoss(count: Int) throws {
        let configuration = try DictionaryConfiguration(dModel: 7, latents: 20, k: 3, layers: [2, 3, 5])
        let options = try TrainingOptions(
            configuration, batchTokens: 8, steps: 100,
            choices: .init { $0.deadAfterTokens = 1 })
        let trainer = trainer(configuration, options, seed: 5)
        for latent in 0..<20 { trainer.state.tokensSinceFired[latent] = 1 }
        let batch = randomBatch(count: 8, layers: [2, 3, 5], dModel: 7, seed: 6)
        for token in 1..<8 { batch.values.row(token).update(from: batch.values.row(0), count: batch.values.columns) }
        batch.count = count
        #expect(try trainer.step(batch).auxiliaryLoss == 0)
    }

    /// A constant activation standardises to zero: it has no relative error, and must not spoil the rest.
    /// The published code's first defect: without biases the loss does not depend on the router's probability. What is
    /// left of the gradient must be nothing, not round-off, which Adam would blow up to full steps.
    @Test func withoutBiasesTheReferenceRouterLearnsNothing() throws {
        let configuration = try DictionaryConfiguration(
            dModel: 7, latents: 20, k: 3, layers: [2, 3, 5], fidelity: .reference)
        let trainer = TopKTrainer(
            configuration: configuration,
            options: try TrainingOptions(configuration, batchTokens: 40, steps: 10),
            weights: DictionaryWeights(configuration, seed: 3), workers: Workers(threads: 2))
        let batch = randomBatch(count: 40, layers: [2, 3, 5], dModel: 7, seed: 5)
        let (loss, gradients) = try trainer.gradients(batch)
        #expect(loss > 0)
        #expect(gradients.router.elements.allSatisfy { $0 == 0 })
        #expect(gradients.encoder.elements.contains { $0 != 0 })
    }

    @Test("Constant activations contribute nothing", arguments: Fidelity.allCases)
    func constantActivationsCountAsNothing(fidelity: Fidelity) throws {
        let configuration = try DictionaryConfiguration(
            dModel: 7, latents: 20, k: 3, layers: [2, 3, 5], fidelity: fidelity)
        let options = try TrainingOptions(configuration, batchTokens: 8, steps: 100)
        let batch = randomBatch(count: 8, layers: [2, 3, 5], dModel: 7, seed: 6)
        for column in 0..<21 { batch.values[3, column] = 4 }
        // A second that is constant up to round-off.
        for column in 0..<21 { batch.values[5, column] = column % 2 == 0 ? 1e-30 : 0 }
        let trainer = TopKTrainer(
            configuration: configuration, options: options, weights: DictionaryWeights(configuration, seed: 1),
            workers: Workers(threads: 1))
        trainer.state.stepsDone = 1
        let (loss, gradients) = try trainer.gradients(batch)
        #expect(loss.isFinite)
        #expect(gradients.tensors.allSatisfy { $0.matrix.elements.allSatisfy(\.isFinite) })
    }
}
