import LinearAlgebra
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Vocabulary

/// The fused weight update is the stored gradients followed by Adam.
@Suite struct RouteUpdateTests {
    /// Widths within one block of columns, across two, and not a multiple of the vectors.
    @Test(arguments: Fidelity.allCases, [9, 64, 130]) func fusedStepsAreGradientsAndAdam(
        fidelity: Fidelity, dModel: Int
    ) throws {
        for (removesParallel, auxiliary) in [(false, false), (true, false), (true, true), (false, true)] {
            let configuration = try DictionaryConfiguration(
                dModel: dModel, latents: 150, k: 5, layers: [0, 1, 4], fidelity: fidelity)
            // Every direction has unit norm before every step, which the projection takes for granted.
            let options = try TrainingOptions(
                configuration, batchTokens: 48, steps: 40,
                choices: .init {
                    $0.learningRate = 0.01
                    $0.exploration = 0
                    $0.normalizeEvery = removesParallel ? 1 : 2
                    $0.removesParallelGradient = removesParallel
                    $0.loadBalance = 0.1
                    $0.auxiliaryCoefficient = auxiliary ? 0.5 : 0
                    $0.auxiliaryK = 6
                    $0.deadAfterTokens = 60
                })
            let trainer = TopKTrainer(
                configuration: configuration, options: options, weights: randomWeights(configuration, seed: 1),
                workers: Workers(threads: 2))
            var adam: NaiveAdam?
            var auxiliarySteps = 0
            for step in 0..<7 {
                let batch = randomBatch(count: 48 - step, layers: [0, 1, 4], dModel: dModel, seed: UInt64(step))
                // In the corrected mode this also moves b_pre to the mean of the first batch.
                let gradients = try trainer.gradients(batch).gradients
                if adam == nil { adam = NaiveAdam(trainer.state.weights) }
                // W = 2 of 40 steps: factors 0, 1/2, 1, 1, …
                adam!.step(gradients, rate: 0.01 * min(Double(step) / 2, 1), removingParallel: removesParallel)
                if step % options.normalizeEvery == 0 { adam!.normaliseDecoder(columns: dModel) }
                let report = try trainer.step(batch)
                #expect(report.step == step && trainer.state.stepsDone == step + 1)
                auxiliarySteps += report.auxiliaryLoss > 0 ? 1 : 0
                for (expected, (name, matrix)) in zip(
                    adam!.parameters, trainer.state.weights.tensors.map { ($0.name, $0.matrix) })
                {
                    expectClose(
                        matrix.elements, expected.map { Float($0) }, relative: 2e-5,
                        "\(name) after step \(step), parallel removed: \(removesParallel), AuxK: \(auxiliary)")
                }
                // Round-off in the weights must not add up to other choices of latents.
                adam!.adopt(trainer.state.weights)
            }
            #expect((auxiliarySteps > 2) == auxiliary)
        }
    }

    @Test("The first step of a warm-up changes nothing") func theFirstStepOfAWarmUpMovesNothing() throws {
        let configuration = try DictionaryConfiguration(
            dModel: 9, latents: 30, k: 3, layers: [0, 1], fidelity: .reference)
        let options = try TrainingOptions(configuration, batchTokens: 16, steps: 20)
        let trainer = TopKTrainer(
            configuration: configuration, options: options, weights: randomWeights(configuration, seed: 1),
            workers: Workers(threads: 1))
        let before = trainer.state.weights.tensors.dropLast().map { $0.matrix.elements }
        try trainer.step(randomBatch(count: 16, layers: [0, 1], dModel: 9, seed: 1))
        #expect(trainer.state.weights.tensors.dropLast().map { $0.matrix.elements } == before)
        try trainer.step(randomBatch(count: 16, layers: [0, 1], dModel: 9, seed: 2))
        #expect(trainer.state.weights.tensors.dropLast().map { $0.matrix.elements } != before)
    }

    @Test func directionsHaveUnitNormWhenTheyShould() throws {
        func norms(_ trainer: TopKTrainer) -> [Double] {
            (0..<30).map { latent in
                (0..<9).reduce(0.0) {
                    $0 + Double(trainer.state.weights.decoder[latent, $1])
                        * Double(trainer.state.weights.decoder[latent, $1])
                }.squareRoot()
            }
        }

        func unit(_ trainer: TopKTrainer) -> Bool { norms(trainer).allSatisfy { abs($0 - 1) < 1e-6 } }
        let configuration = try DictionaryConfiguration(
            dModel: 9, latents: 30, k: 3, layers: [0, 1], fidelity: .reference)
        let options = try TrainingOptions(
            configuration, batchTokens: 16, steps: 19,
            choices: .init {
                $0.learningRate = 0.05
                $0.normalizeEvery = 3
            })
        let weights = randomWeights(configuration, seed: 1)
        for index in 0..<weights.decoder.count { weights.decoder.pointer[index] *= 3 }
        let trainer = TopKTrainer(
            configuration: configuration, options: options, weights: weights, workers: Workers(threads: 1))
        #expect(unit(trainer))
        for step in 0..<8 {
            try trainer.step(randomBatch(count: 16, layers: [0, 1], dModel: 9, seed: UInt64(step)))
            #expect(unit(trainer) == (step % 3 == 0), "after step \(step)")
        }
        trainer.finish(Workers(threads: 1))
        #expect(unit(trainer))
    }

    @Test func countsTheTokensSinceEachLatentFired() throws {
        let configuration = try DictionaryConfiguration(dModel: 9, latents: 60, k: 3, layers: [0, 1])
        let options = try TrainingOptions(
            configuration, batchTokens: 5, steps: 1000,
            choices: .init {
                $0.learningRate = 1e-6
                $0.exploration = 0
            })
        let trainer = TopKTrainer(
            configuration: configuration, options: options, weights: DictionaryWeights(configuration, seed: 1),
            workers: Workers(threads: 1))
        var expected = Array(repeating: 0, count: 60)
        var everFired = Set<Int>()
        for step in 0..<10 {
            let count = 1 + step % 5
            let batch = randomBatch(count: count, layers: [0, 1], dModel: 9, seed: UInt64(step))
            // By the encode path on its own, with the weights of before the step (b_pre moved first, in step 0).
            _ = try trainer.gradients(batch)
            let routed = AutoencoderInput(capacity: count, configuration: configuration)
            let latents = SparseLatents(capacity: count, width: 3)
            let encoder = DictionaryEncoder(
                configuration: configuration, weights: trainer.state.weights, workers: Workers(threads: 1))
            try encoder.read(batch, into: routed)
            encoder.encode(routed, count: count, into: latents)
            var fired = Set<Int>()
            for slot in 0..<count * 3 where latents.activations[slot] > 0 {
                fired.insert(Int(latents.indices[slot]))
            }
            for latent in 0..<60 { expected[latent] = fired.contains(latent) ? 0 : expected[latent] + count }
            everFired.formUnion(fired)
            let report = try trainer.step(batch)
            #expect(trainer.state.tokensSinceFired == expected, "after step \(step)")
            let active = (0..<count * 3).filter { latents.activations[$0] > 0 }.count
            #expect(abs(report.l0 - Float(active) / Float(count)) < 1e-6)
        }
        #expect(everFired.count > 5)
    }
}
