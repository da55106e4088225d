import LinearAlgebra
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Vocabulary

/// Training with the encoder's product in bf16.
@Suite struct TrainingPrecisionTests {
    /// Several tiles of tokens, with a router that learns by the errors at every layer, and AuxK.
    private func trainer(_ precision: Precision, architecture: Architecture = .route, threads: Int = 2) throws
        -> any DictionaryTrainer
    {
        let configuration = try DictionaryConfiguration(
            architecture: architecture, dModel: 131, latents: 300, k: architecture == .vanilla ? nil : 5,
            layers: architecture == .vanilla ? [2] : [0, 2, 3])
        let options = try TrainingOptions(
            configuration, batchTokens: 300, steps: 20, choices: .init { $0.learningRate = 1e-3 })
        let workers = Workers(threads: threads)
        return TrainerState(
            configuration, options: options, weights: randomWeights(configuration, seed: 7), workers: workers
        ).trainer(options, workers: workers, precision: precision)
    }

    private func reports(_ trainer: any DictionaryTrainer, steps: Int = 6) throws -> [StepReport] {
        try (0..<steps).map { step in
            try trainer.step(randomBatch(count: 300, layers: [0, 2, 3], dModel: 131, seed: UInt64(step)))
        }
    }

    @Test("Weights have the same bits on any number of threads", arguments: [Architecture.route, .vanilla])
    func bitsDoNotDependOnTheThreads(_ architecture: Architecture) throws {
        let first = try trainer(.bf16, architecture: architecture, threads: 1)
        let expected = try reports(first)
        for threads in [2, 3] {
            let other = try trainer(.bf16, architecture: architecture, threads: threads)
            #expect(try reports(other) == expected)
            #expect(other.state.weights.bits == first.state.weights.bits, "\(threads) threads")
        }
    }

    @Test("Losses follow those of f32, and are not the same", arguments: [Architecture.route, .vanilla])
    func lossesFollowThoseOfF32(_ architecture: Architecture) throws {
        let exact = try reports(trainer(.f32, architecture: architecture), steps: 15).map(\.loss)
        let rounded = try reports(trainer(.bf16, architecture: architecture), steps: 15).map(\.loss)
        expectClose(rounded, exact, relative: 1e-2, "losses")
        #expect(rounded != exact)
    }

    @Test("The encoder's product is that of rounded weights, after every step")
    func theProductIsOfTheWeightsAsTheyAre() throws {
        let trainer = try trainer(.bf16)
        _ = try reports(trainer, steps: 2)
        let configuration = trainer.state.configuration
        let weights = trainer.state.weights
        let encoder = DictionaryEncoder(
            configuration: configuration, weights: weights, workers: Workers(threads: 2), precision: .bf16)
        #expect(encoder.precision == .bf16)
        let input = AutoencoderInput(capacity: 300, configuration: configuration)
        try encoder.read(randomBatch(count: 300, layers: [0, 2, 3], dModel: 131, seed: 50), into: input)
        let product = Matrix(rows: 300, columns: 300)
        encoder.encoderProduct(input, 0..<300, into: product)
        let expected = Matrix(rows: 300, columns: 300)
        Workers(threads: 1).multiply(
            rows: 300, input.centered.pointer, stride: 131,
            byTransposeOf: BF16Matrix(rounding: weights.encoder.pointer, rows: 300, columns: 131),
            into: expected.pointer, stride: 300)
        #expect(product.elements == expected.elements)
        // Changed weights are seen once they are rounded.
        weights.encoder.pointer[0] += 1
        encoder.encoderProduct(input, 0..<300, into: product)
        #expect(product.elements == expected.elements)
        encoder.packWeights()
        encoder.encoderProduct(input, 0..<300, into: product)
        #expect(product.elements != expected.elements)
    }
}
