import LinearAlgebra
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Vocabulary

/// Whole steps of every system are the stored gradients, clipped and projected, followed by Adam and the decoder's norms.
@Suite struct DictionaryUpdateTests {
    /// ‖∇‖ over all tensors.
    private func norm(_ gradients: DictionaryWeights) -> Double {
        gradients.tensors.reduce(0.0) { sum, tensor in
            tensor.matrix.elements.reduce(sum) { $0 + Double($1) * Double($1) }
        }.squareRoot()
    }

    /// The columns that have unit norm together: none, all, or one layer's.
    private func unitColumns(_ system: DictionarySystem, _ configuration: DictionaryConfiguration) -> Int? {
        switch (system.architecture, system.fidelity) {
        case (.vanilla, .corrected): nil
        case (.crosscoder, .corrected): system.usesTopK ? 3 * configuration.dModel : nil
        default: configuration.dModel
        }
    }

    /// Latents and columns within one tile and across two.
    @Test(
        "A step is gradient, clipping and Adam", arguments: DictionarySystem.penalised + DictionarySystem.topK,
        [nil, 0.02] as [Float?])
    func stepsAreGradientsAndAdam(system: DictionarySystem, clip: Float?) throws {
        for (dModel, latents) in [(9, 30), (47, 150)] {
            let configuration = try system.configuration(dModel: dModel, latents: latents, k: 5)
            let options = try TrainingOptions(
                configuration, batchTokens: 48, steps: 40,
                choices: .init {
                    $0.learningRate = 0.01
                    $0.gradientClip = clip
                    $0.normalizeEvery = 3
                    $0.auxiliaryCoefficient = system.usesTopK ? 0.5 : nil
                    $0.auxiliaryK = system.usesTopK ? 6 : nil
                    $0.deadAfterTokens = 40
                })
            let trainer = livelyTrainer(system, configuration, options, seed: 1)
            let removesParallel = system.fidelity == .corrected && options.decoderNorm == .unit
            var adam: NaiveAdam?
            var (auxiliarySteps, clippedSteps) = (0, 0)
            for step in 0..<8 {
                let batch = keyedBatch(count: 48 - step, dModel: dModel, seed: UInt64(step))
                // Dead in name, so that AuxK has latents with positive pre-activations to revive.
                for latent in 3..<8 { trainer.state.tokensSinceFired[latent] = 40 }
                // In the corrected mode this also moves b_pre to the mean of the first batch.
                let gradients = try trainer.gradients(batch).gradients
                if adam == nil { adam = NaiveAdam(trainer.state.weights) }
                let scale = clip.map { min(1, Double($0) / (norm(gradients) + 1e-6)) } ?? 1
                clippedSteps += scale < 1 ? 1 : 0
                // W = 2 of 40 steps: factors 0, 1/2, 1, 1, …
                adam!.step(
                    gradients, rate: 0.01 * min(Double(step) / 2, 1), removingParallel: removesParallel, scale: scale)
                if step % 3 == 0, let columns = unitColumns(system, configuration) {
                    adam!.normaliseDecoder(columns: columns)
                }

                let report = try trainer.step(batch)
                #expect(report.step == step && trainer.state.stepsDone == step + 1)
                auxiliarySteps += report.auxiliaryLoss > 0 ? 1 : 0
                let (state, label) = (trainer.state, "of \(dModel) × \(latents) after step \(step)")
                for (kind, expected, found) in [
                    ("weights", adam!.parameters, state.weights), ("m", adam!.first, state.firstMoment),
                    ("v", adam!.second, state.secondMoment),
                ] {
                    for (expected, (name, matrix)) in zip(expected, found.tensors.map { ($0.name, $0.matrix) }) {
                        // A step moves a weight by up to 1e-2 in a direction that fp32 knows to 1e-7 of the largest
                        // gradient; Adam divides small gradients by themselves.
                        expectClose(
                            matrix.elements, expected.map { Float($0) }, relative: 2e-5, "\(kind) \(name) \(label)")
                    }
                }
                // Round-off in the weights must not add up to other choices of latents.
                adam!.adopt(trainer.state.weights)
            }
            #expect(clip == nil || clippedSteps > 2)
            #expect((auxiliarySteps > 2) == system.usesTopK, "\(auxiliarySteps) steps with AuxK")
        }
    }

    /// A clip that is never reached changes no bit; one that is leaves a gradient of exactly its norm.
    @Test(arguments: DictionarySystem.penalised + DictionarySystem.topK)
    func gradientsAreClippedToTheNorm(system: DictionarySystem) throws {
        let configuration = try system.configuration(dModel: 9, latents: 30)
        func trainer(_ clip: Float?) throws -> any DictionaryTrainer {
            let options = try TrainingOptions(
                configuration, batchTokens: 20, steps: 10,
                choices: .init {
                    $0.gradientClip = clip
                    $0.removesParallelGradient = false
                })
            return livelyTrainer(system, configuration, options, seed: 1)
        }

        let (free, unreached, clipped) = (try trainer(nil), try trainer(1e6), try trainer(1e-3))
        for step in 0..<3 {
            let batch = keyedBatch(count: 20, dModel: 9, seed: UInt64(step))
            let reports = try [free, unreached, clipped].map { try $0.step(batch) }
            #expect(reports[0] == reports[1])
            guard step == 0 else { continue }
            #expect(reports[0] == reports[2])
            // The first moment after one step is a tenth of the gradient.
            expectClose([Float(norm(clipped.state.firstMoment))], [1e-4], relative: 1e-4, "norm")
            let scale = 1e-4 / norm(free.state.firstMoment)
            #expect(scale < 0.1)
            for (whole, part) in zip(free.state.firstMoment.tensors, clipped.state.firstMoment.tensors) {
                expectClose(
                    part.matrix.elements, whole.matrix.elements.map { Float(Double($0) * scale) }, relative: 1e-4,
                    whole.name)
            }
        }
        #expect(free.state.weights.bits == unreached.state.weights.bits)
        #expect(free.state.weights.bits != clipped.state.weights.bits)
    }
}
