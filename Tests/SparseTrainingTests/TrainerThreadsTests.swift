import LinearAlgebra
import SparseCoding
import SparseTraining
import Testing
import Vocabulary

/// Training gives the same bits for any number of threads.
@Suite struct TrainerThreadsTests {
    /// Several tiles of samples (256), of latents (64, 128) and of columns (128).
    @Test(arguments: DictionarySystem.penalised + DictionarySystem.topK)
    func bitsDoNotDependOnTheThreads(system: DictionarySystem) throws {
        let configuration = try system.configuration(dModel: 130, latents: 200, k: 5)
        let hasBias = system.architecture != .crosscoder || system.fidelity == .corrected
        let options = try TrainingOptions(
            configuration, batchTokens: 270, steps: 12,
            choices: .init {
                $0.gradientClip = 0.1
                $0.normalizeEvery = 2
                $0.initialBias = hasBias ? .geometricMedian : nil
                $0.auxiliaryCoefficient = system.usesTopK ? 0.1 : nil
                $0.deadAfterTokens = 300
            })
        var first: (bits: [[UInt32]], idle: [Int], reports: [StepReport])?
        for threads in [1, 2, 3, 5] {
            let trainer = livelyTrainer(system, configuration, options, seed: 7, threads: threads)
            // Some latents do not stand a chance, so that AuxK has something to do.
            for vector in [trainer.state.weights.latentBias, trainer.state.weights.gateBias] where vector.rows > 0 {
                for latent in 0..<50 { vector.pointer[latent] = -20 }
            }

            let reports = try (0..<4).map { step in
                try trainer.step(keyedBatch(count: 270 - step, dModel: 130, seed: UInt64(step)))
            }
            trainer.finish(Workers(threads: threads))
            let state = trainer.state
            let bits = [state.weights, state.firstMoment, state.secondMoment].flatMap(\.bits)
            if let first {
                #expect(bits == first.bits, "\(threads) threads")
                #expect(state.tokensSinceFired == first.idle && reports == first.reports, "\(threads) threads")
            } else {
                #expect(reports.last!.deadShare >= 0.25)
                #expect((reports.last!.auxiliaryLoss > 0) == system.usesTopK)
                first = (bits, state.tokensSinceFired, reports)
            }
        }
    }
}
