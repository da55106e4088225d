import LinearAlgebra
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Vocabulary

/// Steps of penalised dictionaries that follow only the latents within reach, against those that follow all.
@Suite struct PenaltyReachTests {
    private static let systems = DictionarySystem.penalised.filter { !$0.followsReached }

    /// 300 tokens: two tiles.
    private func trainer(
        _ system: DictionarySystem, largestShare: Double = PenaltyTrainer.largestShare, bias: Float? = nil,
        threads: Int = 2
    ) throws -> PenaltyTrainer {
        let configuration = try system.configuration(dModel: 33, latents: 200)
        let options = try TrainingOptions(
            configuration, batchTokens: 300, steps: 40,
            choices: .init {
                $0.learningRate = 1e-3
                $0.lambda = 0.5
                $0.gradientClip = 0.5
                $0.bandwidth = system.architecture == .jumprelu ? 0.1 : nil
                $0.initialBias = .zero
            })
        let weights = livelyWeights(configuration, seed: 3)
        // Few fire. A JumpReLU has its thresholds besides, and the authors' crosscoder larger products.
        let bias =
            bias
            ?? (system.architecture == .jumprelu
                ? -1.1 : system.architecture == .crosscoder && system.fidelity == .reference ? -2.2 : -1.5)
        for vector in [weights.latentBias, weights.gateBias] where vector.rows > 0 {
            for latent in 0..<vector.count { vector.pointer[latent] += bias }
        }
        let workers = Workers(threads: threads)
        return PenaltyTrainer(
            state: TrainerState(configuration, options: options, weights: weights, workers: workers), options: options,
            workers: workers, largestShare: largestShare)
    }

    private func batch(_ step: Int) -> ActivationBatch { keyedBatch(count: 300 - step, dModel: 33, seed: UInt64(step)) }

    @Test("Where few latents fire, only those within reach are followed, to the same results", arguments: systems)
    func fewLatents(system: DictionarySystem) throws {
        let (sparse, dense) = (try trainer(system), try trainer(system, largestShare: -1))
        for step in 0..<12 {
            let (found, expected) = (try sparse.step(batch(step)), try dense.step(batch(step)))
            #expect(sparse.followsReached && !dense.followsReached)
            #expect(expected.l0 > 0.2 && expected.l0 < 12.5 && found.l0 == expected.l0)
            expectClose(
                [found.loss, found.sparsityLoss], [expected.loss, expected.sparsityLoss], relative: 1e-5,
                "losses of step \(step)")
        }
        for (tensor, expected) in zip(sparse.state.weights.tensors, dense.state.weights.tensors) {
            expectClose(tensor.matrix.elements, expected.matrix.elements, relative: 5e-5, tensor.name)
        }
    }

    @Test("Where many fire, all are followed", arguments: systems)
    func manyLatents(system: DictionarySystem) throws {
        let trainer = try trainer(system, bias: 0)
        #expect(try trainer.step(batch(0)).l0 > 12.5)
        #expect(!trainer.followsReached)
    }

    @Test("A tile with more latents than there is room for makes the whole step follow all", arguments: systems)
    func crowdedTile(system: DictionarySystem) throws {
        // The second tile's tokens stand out in a column to which every latent answers.
        let crowded = batch(0)
        for row in 256..<300 {
            for column in 0..<crowded.values.columns { crowded.values[row, column] = column % 33 == 0 ? 100 : 0 }
        }
        let (sparse, dense) = (
            try trainer(system, largestShare: 1.0 / 16, bias: -3), try trainer(system, largestShare: -1, bias: -3)
        )
        for trainer in [sparse, dense] {
            for latent in 0..<200 { trainer.state.weights.encoder[latent, 0] = 0.8 }
        }
        let reports = try [sparse, dense].map { try $0.step(crowded) }
        #expect(reports[0] == reports[1] && reports[0].l0 > 25)
        #expect(!sparse.followsReached)
        #expect(sparse.state.weights.bits == dense.state.weights.bits)
        #expect(try sparse.step(batch(1)).l0 < 12.5)
        #expect(sparse.followsReached)
    }
}
