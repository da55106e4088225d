import LinearAlgebra
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Vocabulary

/// The gradients of every system against finite differences of an fp64 loss. What has no derivative, a JumpReLU's
/// thresholds, is compared with the sum that its paper puts in place of one.
@Suite struct DictionaryGradientTests {
    /// A shape of the problem: widths and latents beside the vectors' 16 lanes, tokens beside the encode tile of 256.
    struct Shape: CustomTestStringConvertible {
        var dModel = 7
        var latents = 20
        var count = 24
        var k = 3
        var layers: [Int]?
        var testDescription: String { "\(dModel) × \(latents), \(count) tokens, k \(k) \(layers ?? [])" }
    }

    static let shapes = [
        Shape(), Shape(dModel: 16, latents: 16, count: 9, k: 16), Shape(dModel: 19, latents: 37, count: 5, k: 1),
        Shape(count: 1), Shape(latents: 13, count: 17, k: 13, layers: [4]), Shape(dModel: 5, latents: 18, count: 300),
    ]

    /// Every entry of a small problem, some of a large one.
    private func entries(_ count: Int, tokens: Int) -> [Int] {
        Array(stride(from: 0, to: count, by: tokens > 100 ? 1 + count / 20 : tokens * count > 8000 ? 3 : 1))
    }

    /// The first batch on which no choice hangs on round-off: fp32 puts pre-activations of about 1 within 1e-6.
    private func decisiveBatch(_ oracle: NaiveDictionary, count: Int, dModel: Int) -> ActivationBatch {
        for seed in UInt64(2)... {
            let batch = keyedBatch(count: count, dModel: dModel, seed: seed)
            if oracle.hold(oracle.samples(batch)).allSatisfy({ $0.margin > 3e-6 }) { return batch }
        }
        preconditionFailure("all seeds tried")
    }

    private func compare(
        _ trainer: any DictionaryTrainer, _ oracle: NaiveDictionary, _ batch: ActivationBatch, bandwidth: Double
    ) throws {
        let samples = oracle.samples(batch)
        let held = oracle.hold(samples)
        let (loss, gradients) = try trainer.gradients(batch)
        let expectedLoss = oracle.losses(samples, held, detached: oracle)
        expectClose([loss], [Float(expectedLoss.total)], relative: 3e-6, "loss")
        for (name, matrix) in gradients.tensors.map({ ($0.name, $0.matrix) }) {
            let entries = name == "threshold" ? Array(0..<matrix.count) : entries(matrix.count, tokens: batch.count)
            let expected =
                name == "threshold"
                ? oracle.thresholdGradient(samples, bandwidth: bandwidth)
                : oracle.gradient(of: name, entries: entries, samples, held)
            // Sums of at most a few thousand fp32 products each, relative to the largest; finite differences err 1e-10.
            expectClose(entries.map { matrix.pointer[$0] }, expected, relative: 2e-5, absolute: 1e-8, name)
            // The reference's gate takes no gradient, as it is only compared with zero.
            let isIdle = name == "gate_bias" && oracle.configuration.fidelity == .reference
            #expect(isIdle || expected.contains { abs($0) > 1e-5 }, "\(name) has no gradient")
        }
    }

    @Test(arguments: DictionarySystem.penalised + DictionarySystem.topK, shapes)
    func gradientsAreFiniteDifferences(system: DictionarySystem, shape: Shape) throws {
        let configuration = try system.configuration(
            dModel: shape.dModel, latents: shape.latents, k: shape.k, layers: shape.layers)
        let isJumpReLU = system.architecture == .jumprelu
        let options = try TrainingOptions(
            configuration, batchTokens: shape.count, steps: 100,
            choices: .init {
                $0.auxiliaryCoefficient = system.usesTopK ? 0 : nil
                $0.lambda = system.usesTopK ? nil : 0.7
                $0.lambdaWarmup = system.usesTopK ? nil : 0.05
                $0.bandwidth = isJumpReLU ? 0.5 : nil
            })
        let trainer = livelyTrainer(system, configuration, options, seed: 3)
        let decoder = trainer.state.weights.decoder
        // After the trainer has brought the directions to unit norm: away from it again.
        for index in 0..<decoder.count { decoder.pointer[index] *= 0.8 + 0.01 * Float(index % 40) }
        trainer.state.stepsDone = 2
        var oracle = NaiveDictionary(configuration, trainer.state.weights)
        oracle.lambda = Double(Float(0.7)) * 2 / 5
        let batch = decisiveBatch(oracle, count: shape.count, dModel: shape.dModel)
        try compare(trainer, oracle, batch, bandwidth: 0.5)
    }

    /// AuxK with fewer, as many, and more dead latents than k_aux; at most 32 samples, so that it uses them all.
    @Test(arguments: DictionarySystem.topK, [2, 4, 9])
    func auxiliaryLoss(system: DictionarySystem, deadCount: Int) throws {
        let configuration = try system.configuration(dModel: 7, latents: 20)
        let options = try TrainingOptions(
            configuration, batchTokens: 10, steps: 100,
            choices: .init {
                $0.auxiliaryCoefficient = 0.25
                $0.auxiliaryK = 4
                $0.deadAfterTokens = 50
            })
        let trainer = livelyTrainer(system, configuration, options, seed: 5)
        trainer.state.stepsDone = 1
        // Dead in name: some of them are among the k largest as well, and gradients of both kinds add up.
        let dead = Array([1, 3, 4, 8, 9, 12, 15, 18, 19].prefix(deadCount))
        for latent in 0..<20 { trainer.state.tokensSinceFired[latent] = dead.contains(latent) ? 50 : 49 }
        var oracle = NaiveDictionary(configuration, trainer.state.weights)
        oracle.auxiliary = (0.25, 4)
        oracle.dead = dead
        let batch = decisiveBatch(oracle, count: 10, dModel: 7)
        try compare(trainer, oracle, batch, bandwidth: 1)

        let losses = oracle.losses(batch)
        let report = try trainer.step(batch)
        expectClose([report.loss], [Float(losses.main)], relative: 3e-6, "loss")
        expectClose([report.auxiliaryLoss], [Float(losses.auxiliary)], relative: 5e-6, "AuxK")
        #expect(report.deadShare == Float(deadCount) / 20)
    }

    /// A layer that is constant standardises to zero: it has no relative error, and must not spoil the rest.
    @Test(arguments: DictionarySystem.penalised + DictionarySystem.topK)
    func constantActivationsCountAsNothing(system: DictionarySystem) throws {
        let configuration = try system.configuration(dModel: 7, latents: 20)
        let options = try TrainingOptions(configuration, batchTokens: 8, steps: 100)
        let batch = keyedBatch(count: 8, dModel: 7, seed: 6)
        for column in 0..<28 { batch.values[3, column] = 4 }
        let trainer = livelyTrainer(system, configuration, options, seed: 1)
        trainer.state.stepsDone = 1
        let (loss, gradients) = try trainer.gradients(batch)
        #expect(loss.isFinite && loss > 0)
        #expect(gradients.tensors.allSatisfy { $0.matrix.elements.allSatisfy(\.isFinite) })
        #expect(try trainer.step(batch).loss.isFinite)
    }
}
