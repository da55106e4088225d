import Foundation
import SparseCoding
import SparseTraining
import Testing
import Vocabulary

@Suite struct TrainingOptionsTests {
    private func configuration(_ fidelity: Fidelity, layers: [Int] = [1, 2]) throws -> DictionaryConfiguration {
        try DictionaryConfiguration(dModel: 10, latents: 64, k: 4, layers: layers, fidelity: fidelity)
    }

    @Test func referenceDefaults() throws {
        let options = try TrainingOptions(try configuration(.reference), batchTokens: 100, steps: 50)
        #expect(options.learningRate == 5e-4 && options.betas == [0.9, 0.999] && options.epsilon == 1e-8)
        #expect(options.normalizeEvery == 10 && options.warmupFraction == 0.05 && options.decayFraction == 0.2)
        #expect(options.auxiliary == nil && options.loadBalance == 0)
        #expect(!options.removesParallelGradient && options.initialBias == .zero)
    }

    @Test func correctedDefaults() throws {
        let options = try TrainingOptions(try configuration(.corrected), batchTokens: 100, steps: 50)
        // 1e-3 · √(16384 / 64)
        #expect(abs(options.learningRate - 0.016) < 1e-7)
        #expect(options.auxiliary == AuxiliaryLoss(coefficient: 1 / 32, k: 5) && options.deadAfterTokens == 500)
        #expect(options.loadBalance > 0 && options.removesParallelGradient && options.initialBias == .mean)
        // One layer has no load to balance.
        let single = try TrainingOptions(try configuration(.corrected, layers: [1]), batchTokens: 1, steps: 1)
        #expect(single.loadBalance == 0)
        #expect(single.deadAfterTokens == 1)
        let long = try TrainingOptions(try configuration(.corrected), batchTokens: 1 << 24, steps: 1 << 40)
        #expect(long.deadAfterTokens == 10_000_000)
    }

    @Test func auxiliaryLossIsChosenByItsCoefficient() throws {
        let reference = try configuration(.reference)
        let on = try TrainingOptions(
            reference, batchTokens: 1, steps: 1,
            choices: .init {
                $0.auxiliaryCoefficient = 0.5
                $0.auxiliaryK = 3
                $0.deadAfterTokens = 7
            })
        #expect(on.auxiliary == AuxiliaryLoss(coefficient: 0.5, k: 3) && on.deadAfterTokens == 7)
        let off = try TrainingOptions(
            try configuration(.corrected), batchTokens: 1, steps: 1,
            choices: .init {
                $0.auxiliaryCoefficient = 0
                $0.auxiliaryK = 3
            })
        #expect(off.auxiliary == nil)
    }

    /// The name of the setting that is refused.
    private func refusal(_ make: () throws -> TrainingOptions) -> String? {
        do {
            _ = try make()
            return nil
        } catch SparseCodingError.setting(let name, _, _) {
            return name
        } catch {
            return "another error: \(error)"
        }
    }

    @Test func adamsFirstDecayCanBeChosen() throws {
        let options = try TrainingOptions(
            try configuration(.corrected), batchTokens: 1, steps: 1, choices: .init { $0.adamBeta1 = 0 })
        #expect(options.betas == [0, 0.999])
    }

    @Test func refusesWhatIsOutOfRange() throws {
        let c = try configuration(.corrected)
        for value in [Float(1), -0.1, .nan] {
            #expect(
                refusal {
                    try TrainingOptions(c, batchTokens: 1, steps: 1, choices: .init { $0.adamBeta1 = value })
                } == "`adamBeta1`")
        }
        for value in [0, -1, Int.max] {
            #expect(refusal { try TrainingOptions(c, batchTokens: value, steps: 1) } == "`batchTokens`")
            #expect(refusal { try TrainingOptions(c, batchTokens: 1, steps: value) } == "`steps`")
            #expect(
                refusal {
                    try TrainingOptions(
                        c, batchTokens: 1, steps: 1,
                        choices: .init { $0.normalizeEvery = value })
                }
                    == "`normalizeEvery`")
            #expect(
                refusal {
                    try TrainingOptions(
                        c, batchTokens: 1, steps: 1,
                        choices: .init { $0.auxiliaryK = value })
                }
                    == "`auxiliaryK`")
            #expect(
                refusal {
                    try TrainingOptions(
                        c, batchTokens: 1, steps: 1,
                        choices: .init { $0.deadAfterTokens = value })
                }
                    == "`deadAfterTokens`")
        }
        for value in [Float.nan, .infinity, -1] {
            #expect(
                refusal {
                    try TrainingOptions(
                        c, batchTokens: 1, steps: 1,
                        choices: .init { $0.learningRate = value })
                }
                    == "`learningRate`")
            #expect(
                refusal {
                    try TrainingOptions(
                        c, batchTokens: 1, steps: 1,
                        choices: .init { $0.loadBalance = value })
                }
                    == "`loadBalance`")
            #expect(
                refusal {
                    try TrainingOptions(
                        c, batchTokens: 1, steps: 1,
                        choices: .init { $0.auxiliaryCoefficient = value })
                }
                    == "`auxiliaryCoefficient`")
        }
        #expect(
            refusal {
                try TrainingOptions(
                    c, batchTokens: 1, steps: 1,
                    choices: .init { $0.learningRate = 0 })
            }
                == "`learningRate`")
    }
}
