import LinearAlgebra
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Vocabulary

/// Exploration and the kinds of errors that a router descends, against the naive loops of `NaiveRoute`.
@Suite struct RouterExplorationTests {
    private static let layers = [2, 3, 5]

    private func configuration(_ layers: [Int] = layers) throws -> DictionaryConfiguration {
        try DictionaryConfiguration(dModel: 7, latents: 20, k: 3, layers: layers)
    }

    private func trainer(
        _ configuration: DictionaryConfiguration, threads: Int = 2, steps: Int = 100,
        _ choose: (inout Hyperparameters) -> Void
    ) throws -> TopKTrainer {
        let options = try TrainingOptions(
            configuration, batchTokens: 400, steps: steps,
            choices: .init {
                $0.auxiliaryCoefficient = 0
                $0.initialBias = .zero
                choose(&$0)
            })
        return TopKTrainer(
            configuration: configuration, options: options, weights: randomWeights(configuration, seed: 3),
            workers: Workers(threads: threads))
    }

    /// Gives every token a key of its own.
    private func batch(_ count: Int, seed: UInt64 = 2) -> ActivationBatch {
        let batch = randomBatch(count: count, layers: [2, 3, 4, 5], dModel: 7, seed: seed)
        for token in 0..<count { batch.drawKeys[token] = ActivationBatch.drawKey(document: 9, position: token) }
        return batch
    }

    /// At step 1 of 101, from 0.8 to 0.3, the share is 0.795.
    @Test func exploredTokensAreReadAtTheirDrawnLayers() throws {
        let trainer = try trainer(try configuration(), steps: 101) {
            $0.exploration = 0.8
            $0.finalExploration = 0.3
            $0.loadBalance = 0.7
        }
        trainer.state.stepsDone = 1
        let batch = batch(60)
        var oracle = NaiveRoute(trainer.state.configuration, trainer.state.weights)
        (oracle.loadBalance, oracle.gradient) = (0.7, .layerErrors)
        let exploration = LayerExploration(share: 0.795, step: 1)
        oracle.explored = (0..<60).map { exploration.layer(for: batch.drawKeys[$0], of: 3) }
        #expect(Set(oracle.explored) == [0, 1, 2, nil])
        let tokens = oracle.standardised(batch)
        let selections = oracle.select(tokens)
        #expect(selections.contains { $0.read != $0.layer })
        let (loss, gradients) = try trainer.gradients(batch)
        expectClose([loss], [Float(oracle.losses(tokens, selections).total)], relative: 2e-6, "loss")
        for tensor in gradients.tensors {
            let expected = oracle.gradient(of: tensor.name, tokens, selections)
            expectClose(tensor.matrix.elements, expected, relative: 2e-5, absolute: 1e-8, tensor.name)
        }

        // What is reported is the router's own choice.
        let report = try trainer.step(batch)
        let shares = (0..<3).map { layer in Float(selections.count { $0.layer == layer }) / 60 }
        expectClose(report.layerShares, shares, absolute: 1e-6, "shares")
    }

    @Test("Errors of both kinds are finite differences", arguments: RouterErrors.allCases, [[2, 3, 5], [2, 5]])
    func errorsAreFiniteDifferences(errors: RouterErrors, layers: [Int]) throws {
        let trainer = try trainer(try configuration(layers)) {
            $0.routerErrors = errors
            $0.exploration = 0
            $0.loadBalance = 0
        }
        var oracle = NaiveRoute(trainer.state.configuration, trainer.state.weights)
        (oracle.gradient, oracle.errors) = (.layerErrors, errors)
        // Of 200 tokens 85 or 128 are tried.
        let batch = batch(200)
        let tokens = oracle.standardised(batch)
        let selections = oracle.select(tokens)
        let router = try trainer.gradients(batch).gradients.router.elements
        let expected = oracle.gradient(of: "router", tokens, selections)
        expectClose(router, expected, relative: 2e-5, absolute: 1e-8, "router")
        #expect(expected.contains { abs($0) > 1e-4 })
    }

    /// Layer 3 is the mean of layers 2 and 5, so what is read there says most of all three.
    @Test func spanningErrorsPreferTheLayerThatSaysMostOfAll() throws {
        let trainer = try trainer(try configuration(), steps: 400) {
            $0.learningRate = 0.02
            $0.loadBalance = 0
            $0.exploration = 0.5
        }
        for step in 0..<400 {
            let batch = batch(60, seed: UInt64(step))
            for token in 0..<60 {
                let row = batch.values.row(token)
                for column in 0..<7 {
                    // The router has no bias: it tells layers apart by what all tokens share.
                    for layer in [0, 3] { row[7 * layer + column] += column % 2 == 0 ? 2 : -2 }
                    row[7 + column] = (row[column] + row[21 + column]) / 2
                }
            }
            let report = try trainer.step(batch)
            if step == 399 { #expect(report.layerShares[1] > 0.9, "\(report.layerShares)") }
        }
    }

    @Test("Draws are uniform, new at every step, and as many as asked for") func draws() {
        for share in [Float(0), 0.25, 1] {
            var counts = Array(repeating: 0, count: 9)
            var same = 0
            for token in 0..<20_000 {
                let key = ActivationBatch.drawKey(document: 3, position: token)
                let layer = LayerExploration(share: share, step: 6).layer(for: key, of: 9)
                if let layer { counts[layer] += 1 }
                if layer == LayerExploration(share: share, step: 7).layer(for: key, of: 9) { same += 1 }
            }
            let explored = counts.reduce(0, +)
            #expect(abs(Float(explored) / 20_000 - share) < 0.01)
            for count in counts {
                #expect(abs(Double(count) - Double(explored) / 9) <= 4 * Double(explored).squareRoot())
            }
            #expect(share == 0 ? same == 20_000 : same < 15_000)
        }
    }

    @Test("Threads change no bit") func threads() throws {
        let trainers = try [1, 3].map { threads in
            try trainer(try configuration(), threads: threads) {
                $0.exploration = 0.5
            }
        }
        for step in 0..<4 {
            let batch = batch(300, seed: UInt64(step))
            #expect(try trainers[0].step(batch) == (try trainers[1].step(batch)))
        }
        for (one, other) in zip(trainers[0].state.tensors, trainers[1].state.tensors) {
            #expect(one.matrix.elements == other.matrix.elements, "\(one.name)")
        }
    }

    @Test func refusesWhatContradicts() throws {
        func refusal(_ layers: [Int], _ choose: (inout Hyperparameters) -> Void) -> String {
            let error = #expect(throws: SparseCodingError.self) { try trainer(try configuration(layers), choose) }
            return error.map { "\($0)" } ?? ""
        }
        for value in [Float.nan, -0.1, 1.1] {
            #expect(refusal([1, 2]) { $0.exploration = value } == "`exploration` is \(value); allowed: 0 … 1")
            #expect(
                refusal([1, 2]) { $0.finalExploration = value } == "`finalExploration` is \(value); allowed: 0 … 1")
        }
        #expect(
            refusal([1]) { $0.exploration = 0.5 }.hasSuffix(
                "only corrected hard routing of several layers has a choice"))
        #expect(
            refusal([1, 2]) {
                $0.exploration = 0.5
                $0.routerGradient = .straightThrough
            } == "`exploration` is given; allowed: only with `routerGradient` layerErrors")
        #expect(
            refusal([1, 2]) {
                $0.routerErrors = .spanning
                $0.routerGradient = .straightThrough
            } == "`routerErrors` is given; allowed: only with `routerGradient` layerErrors")
    }
}
