import Foundation
import LinearAlgebra
import SparseCoding
import SparseTraining
import Testing
import Vocabulary

@Suite struct TopKTrainerTests {
    private func trainer(
        _ configuration: DictionaryConfiguration, threads: Int = 1, batchTokens: Int = 300, deadAfter: Int = 400
    ) throws -> TopKTrainer {
        let options = try TrainingOptions(
            configuration, batchTokens: batchTokens, steps: 20,
            choices: .init {
                $0.normalizeEvery = 3
                $0.exploration = 0
                $0.auxiliaryCoefficient = 0.1
                $0.deadAfterTokens = deadAfter
            })
        return TopKTrainer(
            configuration: configuration, options: options, weights: randomWeights(configuration, seed: 7),
            workers: Workers(threads: threads))
    }

    @Test(arguments: Fidelity.allCases, RoutingMode.allCases) func bitsDoNotDependOnTheThreads(
        fidelity: Fidelity, routing: RoutingMode
    ) throws {
        // Several tiles of tokens, of latents and of columns.
        let configuration = try DictionaryConfiguration(
            dModel: 130, latents: 300, k: 5, layers: [0, 2, 3], routing: routing, fidelity: fidelity)
        var first: (bits: [[UInt32]], reports: [StepReport])?
        for threads in [1, 2, 3] {
            let trainer = try trainer(configuration, threads: threads)
            // Half the latents do not stand a chance, so that AuxK has something to do.
            for latent in 0..<150 { trainer.state.weights.latentBias.pointer[latent] = -20 }
            let reports = try (0..<6).map { step in
                try trainer.step(randomBatch(count: 300, layers: [0, 2, 3], dModel: 130, seed: UInt64(step)))
            }
            trainer.finish(Workers(threads: 1))
            if let first {
                #expect(trainer.state.weights.bits == first.bits, "\(threads) threads")
                #expect(reports == first.reports, "\(threads) threads")
            } else {
                #expect(reports.last!.deadShare >= 0.5)
                #expect(reports.last!.auxiliaryLoss > 0)
                first = (trainer.state.weights.bits, reports)
            }
        }
    }

    @Test(arguments: Fidelity.allCases) func damagedActivationsChangeNothing(fidelity: Fidelity) throws {
        let configuration = try DictionaryConfiguration(
            dModel: 9, latents: 30, k: 3, layers: [0, 2, 3], fidelity: fidelity)
        for stepsBefore in [0, 2] {
            let trainer = try trainer(configuration)
            for step in 0..<stepsBefore {
                try trainer.step(randomBatch(count: 20, layers: [0, 2, 3], dModel: 9, seed: UInt64(step)))
            }

            let before = trainer.state.weights.bits
            let idle = trainer.state.tokensSinceFired
            for position in 0..<3 {
                for bad in [Float.nan, .infinity, -.infinity] {
                    let batch = randomBatch(count: 20, layers: [0, 2, 3], dModel: 9, seed: 9)
                    batch.values[13, position * 9 + 4] = bad
                    #expect(throws: SparseCodingError.self) { try trainer.step(batch) }
                    #expect(trainer.state.weights.bits == before)
                    #expect(trainer.state.stepsDone == stepsBefore && trainer.state.tokensSinceFired == idle)
                }
            }
            // It goes on as if nothing had been.
            let undisturbed = try self.trainer(configuration)
            for step in 0..<stepsBefore {
                try undisturbed.step(randomBatch(count: 20, layers: [0, 2, 3], dModel: 9, seed: UInt64(step)))
            }
            for step in 0..<3 {
                let batch = randomBatch(count: 20, layers: [0, 2, 3], dModel: 9, seed: UInt64(50 + step))
                #expect(try trainer.step(batch) == (try undisturbed.step(batch)))
            }
            #expect(trainer.state.weights.bits == undisturbed.state.weights.bits)
        }
    }

    @Test(arguments: Fidelity.allCases, [0, 3]) func aLossThatIsNotFiniteChangesNothing(
        fidelity: Fidelity, stepsBefore: Int
    ) throws {
        let configuration = try DictionaryConfiguration(
            dModel: 9, latents: 30, k: 3, layers: [0, 2, 3], fidelity: fidelity)
        let trainer = try trainer(configuration)
        for step in 0..<stepsBefore {
            try trainer.step(randomBatch(count: 20, layers: [0, 2, 3], dModel: 9, seed: UInt64(step)))
        }
        trainer.state.weights.encoder[4, 4] = .nan
        let before = trainer.state.weights.bits
        #expect(throws: TrainingError.lossNotFinite(step: stepsBefore)) {
            try trainer.step(randomBatch(count: 20, layers: [0, 2, 3], dModel: 9, seed: 9))
        }
        #expect(trainer.state.weights.bits == before && trainer.state.stepsDone == stepsBefore)
    }

    /// A token that is constant up to a 1e-26: its relative error is finite, the error's gradient is not.
    @Test(arguments: Fidelity.allCases) func aGradientThatIsNotFiniteChangesNothing(fidelity: Fidelity) throws {
        let configuration = try DictionaryConfiguration(
            dModel: 9, latents: 30, k: 3, layers: [0, 2, 3], fidelity: fidelity)
        let trainer = try trainer(configuration)
        try trainer.step(randomBatch(count: 20, layers: [0, 2, 3], dModel: 9, seed: 1))
        let before = trainer.state.weights.bits
        let batch = randomBatch(count: 20, layers: [0, 2, 3], dModel: 9, seed: 2)
        for column in 0..<27 { batch.values[5, column] = column % 2 == 0 ? 1e-26 : -1e-26 }
        #expect(throws: TrainingError.lossNotFinite(step: 1)) { try trainer.step(batch) }
        #expect(trainer.state.weights.bits == before)
    }

    @Test func reportsTheRouting() throws {
        let configuration = try DictionaryConfiguration(dModel: 9, latents: 30, k: 3, layers: [0, 2, 3])
        let report = try trainer(configuration).step(randomBatch(count: 200, layers: [0, 2, 3], dModel: 9, seed: 9))
        #expect(abs(report.layerShares.reduce(0, +) - 1) < 1e-6 && report.layerShares.allSatisfy { $0 > 0 })
        let expected = -report.layerShares.reduce(0.0) { $0 + Double($1) * log(Double($1)) }
        #expect(abs(Double(report.routingEntropy) - expected) < 1e-6)
        #expect(report.l0 <= 3 && report.l0 > 2)
        let single = try DictionaryConfiguration(dModel: 9, latents: 30, k: 3, layers: [2])
        let other = try trainer(single).step(randomBatch(count: 20, layers: [2], dModel: 9, seed: 9))
        #expect(other.layerShares == [1] && other.routingEntropy == 0 && other.balanceLoss == 0)
    }

    @Test func explainedVariance() throws {
        // With as many active latents as it takes, the error is what the loss says, and the variance is the batch's.
        let configuration = try DictionaryConfiguration(dModel: 9, latents: 30, k: 3, layers: [2])
        let batch = randomBatch(count: 100, layers: [2], dModel: 9, seed: 9)
        let trainer = try trainer(configuration)
        let oracle = NaiveRoute(configuration, trainer.state.weights)
        // b_pre starts at the mean of the standardised activations.
        var moved = oracle
        let x = oracle.standardised(batch).map { $0[0] }
        let mean = (0..<9).map { column in x.reduce(0) { $0 + $1[column] } / 100 }
        moved.parameters["pre_bias"] = mean
        let selections = moved.select(oracle.standardised(batch))
        let residual = selections.reduce(0.0) { $0 + $1.error.reduce(0) { $0 + $1 * $1 } }
        let variance = x.reduce(0.0) { $0 + zip($1, mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
        let report = try trainer.step(batch)
        #expect(abs(Double(report.explainedVariance) - (1 - residual / variance)) < 1e-5)
    }

    @Test func bPreStartsAtTheMeanOnlyWhenCorrected() throws {
        for fidelity in Fidelity.allCases {
            let configuration = try DictionaryConfiguration(
                dModel: 9, latents: 30, k: 3, layers: [0, 2], fidelity: fidelity)
            // Twenty steps: the first has rate 0, so that nothing else moves.
            let trainer = try trainer(configuration)
            let before = trainer.state.weights.preBias.elements
            let batch = randomBatch(count: 50, layers: [0, 2], dModel: 9, seed: 9)
            try trainer.step(batch)
            guard fidelity == .corrected else {
                #expect(trainer.state.weights.preBias.elements == before)
                continue
            }

            let oracle = NaiveRoute(configuration, trainer.state.weights)
            let tokens = oracle.standardised(batch)
            let u = oracle.select(tokens).map(\.u)
            for column in 0..<9 {
                let mean = u.reduce(0) { $0 + $1[column] } / 50
                #expect(abs(Double(trainer.state.weights.preBias[0, column]) - mean) < 1e-6)
            }
        }
    }

    @Test func activationsThatDoNotFitAreRefused() throws {
        let configuration = try DictionaryConfiguration(dModel: 9, latents: 30, k: 3, layers: [0, 2])
        let trainer = try trainer(configuration)
        #expect(throws: SparseCodingError.layer(asked: 2, available: [0, 1])) {
            try trainer.step(randomBatch(count: 5, layers: [0, 1], dModel: 9, seed: 1))
        }
        #expect(throws: SparseCodingError.self) {
            try trainer.step(randomBatch(count: 5, layers: [0, 2], dModel: 8, seed: 1))
        }
    }
}
