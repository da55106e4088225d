import LinearAlgebra
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Vocabulary

/// What a step reports, against the fp64 oracle on the weights that it began with.
@Suite struct StepReportTests {
    @Test("Reported figures equal the oracle's", arguments: DictionarySystem.penalised + DictionarySystem.topK)
    func reportsAreTheOracles(system: DictionarySystem) throws {
        let configuration = try system.configuration(dModel: 9, latents: 60)
        let options = try TrainingOptions(
            configuration, batchTokens: 40, steps: 100,
            choices: .init {
                $0.learningRate = 1e-3
                $0.initialBias = .zero
                $0.auxiliaryCoefficient = system.usesTopK ? 0 : nil
                $0.deadAfterTokens = 3
            })
        let trainer = livelyTrainer(system, configuration, options, seed: 5)
        // Some do not stand a chance of firing.
        for vector in [trainer.state.weights.latentBias, trainer.state.weights.gateBias] where vector.rows > 0 {
            for latent in 0..<5 { vector.pointer[latent] = -20 }
        }

        var idle = Array(repeating: 0, count: 60)
        for step in 0..<6 {
            let batch = keyedBatch(count: 1 + step % 4, dModel: 9, seed: UInt64(step))
            var oracle = NaiveDictionary(configuration, trainer.state.weights)
            let warmup = options.sparsity.map { Double($0.warmupFraction) * 100 } ?? 0
            oracle.lambda =
                Double(options.sparsity?.coefficient ?? 0) * (warmup > 0 ? min(1, Double(step) / warmup) : 1)
            let samples = oracle.samples(batch)
            let held = oracle.hold(samples)
            let losses = oracle.losses(samples, held, detached: oracle)
            let dead = idle.filter { $0 >= 3 }.count
            let report = try trainer.step(batch)
            expectClose([report.loss], [Float(losses.main)], relative: 3e-6, "loss")
            expectClose([report.sparsityLoss], [Float(losses.sparsity)], relative: 3e-6, "sparsity")
            #expect(report.auxiliaryLoss == 0 && report.balanceLoss == 0)
            expectClose(
                [report.l0], [Float(held.reduce(0) { $0 + $1.active.count }) / Float(samples.count)], relative: 1e-6,
                "L0")
            #expect(report.deadShare == Float(dead) / 60)
            expectVariance(report, samples, held)
            expectShares(report, system, batch, oracle)
            let fired = Set(held.flatMap(\.active))
            for latent in 0..<60 { idle[latent] = fired.contains(latent) ? 0 : idle[latent] + batch.count }
            #expect(trainer.state.tokensSinceFired == idle, "after step \(step)")
        }
        // Both kinds were seen.
        #expect(idle.contains(0) && idle.contains { $0 > 3 })
    }

    private func expectVariance(_ report: StepReport, _ samples: [[Double]], _ held: [NaiveDictionary.Held]) {
        guard samples.count > 1 else { return }
        let residual = held.reduce(0.0) { $0 + $1.error.reduce(0) { $0 + $1 * $1 } }
        let variance = samples[0].indices.reduce(0.0) { sum, column in
            let mean = samples.reduce(0) { $0 + $1[column] } / Double(samples.count)
            return samples.reduce(sum) { $0 + ($1[column] - mean) * ($1[column] - mean) }
        }
        expectClose([report.explainedVariance], [Float(1 - residual / variance)], relative: 1e-5, absolute: 1e-5, "EV")
    }

    private func expectShares(
        _ report: StepReport, _ system: DictionarySystem, _ batch: ActivationBatch, _ oracle: NaiveDictionary
    ) {
        let layers = system.layers.count
        var expected = Array(repeating: Float(0), count: layers)
        switch system.architecture {
        case .mlsae: expected = expected.map { _ in 1 / Float(layers) }
        case .random:
            for token in 0..<batch.count {
                expected[oracle.drawnLayer(batch.drawKeys[token])] += 1 / Float(batch.count)
            }
        // A crosscoder reads all of them, which is no share.
        case .crosscoder: return
        default: expected = [1]
        }
        expectClose(report.layerShares, expected, absolute: 1e-6, "shares")
    }

    /// λ rises from 0 over ⌊warm-up · steps⌋ steps.
    @Test(arguments: [(0.0, 30), (0.05, 19), (0.05, 30), (0.1, 30), (0.29, 30), (1.0, 30)])
    func theSparsityCoefficientWarmsUp(fraction: Double, steps: Int) {
        let penalty = SparsityPenalty(coefficient: 3, warmupFraction: fraction, bandwidth: 1, initialThreshold: 1)
        let warmup = Int(fraction * Double(steps))
        for step in 0..<steps {
            let expected = warmup == 0 ? 3 : 3 * min(1, Float(step) / Float(warmup))
            #expect(abs(penalty.coefficient(at: step, of: steps) - expected) < 1e-6, "step \(step)")
        }
    }
}
