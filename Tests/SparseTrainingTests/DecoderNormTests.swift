import LinearAlgebra
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Vocabulary

/// When decoder directions have unit norm, and that folding norms away changes no reconstruction.
@Suite struct DecoderNormTests {
    private static let systems = DictionarySystem.penalised + DictionarySystem.topK

    /// The norms of the decoder's rows in pieces of so many columns.
    private func norms(_ weights: DictionaryWeights, columns: Int) -> [Double] {
        let decoder = weights.decoder
        return stride(from: 0, to: decoder.count, by: columns).map { start in
            (start..<start + columns).reduce(0.0) {
                $0 + Double(decoder.pointer[$1]) * Double(decoder.pointer[$1])
            }.squareRoot()
        }
    }

    private func areUnit(_ norms: [Double]) -> Bool { norms.allSatisfy { abs($0 - 1) < 1e-6 } }

    private func trainer(
        _ system: DictionarySystem, learningRate: Float = 0.05, edit: (DictionaryWeights) -> Void = { _ in }
    ) throws -> any DictionaryTrainer {
        let configuration = try system.configuration(dModel: 9, latents: 30)
        let options = try TrainingOptions(
            configuration, batchTokens: 16, steps: 19,
            choices: .init {
                $0.learningRate = learningRate
                $0.normalizeEvery = 3
            })
        let weights = livelyWeights(configuration, seed: 1)
        for index in 0..<weights.decoder.count { weights.decoder.pointer[index] *= 3 }
        edit(weights)
        let workers = Workers(threads: 1)
        return TrainerState(configuration, options: options, weights: weights, workers: workers)
            .trainer(options, workers: workers)
    }

    @Test(arguments: systems) func normsAreHeldAsTheSystemWantsThem(system: DictionarySystem) throws {
        let trainer = try trainer(system)
        let expected: DecoderNorm =
            switch (system.architecture, system.fidelity, system.usesTopK) {
            case (.vanilla, .corrected, _), (.crosscoder, .corrected, false): .free
            case (.crosscoder, .reference, _): .unitPerLayer
            default: .unit
            }
        #expect(trainer.options.decoderNorm == expected)
        let width = trainer.state.weights.decoder.columns
        let columns = expected == .unitPerLayer ? 9 : width
        #expect(areUnit(norms(trainer.state.weights, columns: columns)) == (expected != .free))
        for step in 0..<8 {
            try trainer.step(keyedBatch(count: 16, dModel: 9, seed: UInt64(step)))
            let norms = norms(trainer.state.weights, columns: columns)
            #expect(areUnit(norms) == (expected != .free && step % 3 == 0), "after step \(step)")
            // Nothing has brought the threefold norms down.
            if expected == .free { #expect(norms.reduce(0, +) / 30 > 1.5) }
        }
        trainer.finish(Workers(threads: 1))
        #expect(areUnit(norms(trainer.state.weights, columns: columns)))
    }

    @Test(
        "Folding decoder norms changes no reconstruction",
        arguments: DictionarySystem.penalised.filter {
            $0.fidelity == .corrected && [.vanilla, .crosscoder].contains($0.architecture)
        })
    func foldingChangesNoReconstruction(
        system: DictionarySystem
    ) throws {
        let trainer = try trainer(system)
        let configuration = trainer.state.configuration
        for step in 0..<5 { try trainer.step(keyedBatch(count: 16, dModel: 9, seed: UInt64(step))) }
        let batch = keyedBatch(count: 40, dModel: 9, seed: 77)
        func errors() -> [Float] {
            let oracle = NaiveDictionary(configuration, trainer.state.weights)
            return oracle.hold(oracle.samples(batch)).flatMap { $0.error.map { Float($0) } }
        }

        let (before, biases) = (errors(), trainer.state.weights.latentBias.elements)
        let norms = norms(trainer.state.weights, columns: trainer.state.weights.decoder.columns)
        trainer.finish(Workers(threads: 2))
        // Each weight is rounded once.
        expectClose(errors(), before, relative: 2e-6, "û − u")
        expectClose(
            trainer.state.weights.latentBias.elements, zip(biases, norms).map { Float(Double($0) * $1) },
            relative: 1e-6, "b_lat")
    }

    /// A direction of zeros has no norm to divide by.
    @Test("A zero decoder direction stays finite", arguments: systems)
    func aDirectionOfZerosStaysFinite(system: DictionarySystem) throws {
        let trainer = try trainer(system) { weights in
            weights.decoder.row(4).update(repeating: 0, count: weights.decoder.columns)
        }
        for step in 0..<3 {
            try trainer.step(keyedBatch(count: 16, dModel: 9, seed: UInt64(step)))
            #expect(trainer.state.weights.tensors.allSatisfy { $0.matrix.elements.allSatisfy(\.isFinite) })
        }
        trainer.state.weights.decoder.row(5).update(repeating: 0, count: trainer.state.weights.decoder.columns)
        let encoder = (0..<9).map { trainer.state.weights.encoder[5, $0] }
        trainer.finish(Workers(threads: 1))
        #expect(trainer.state.weights.tensors.allSatisfy { $0.matrix.elements.allSatisfy(\.isFinite) })
        #expect((0..<9).map { trainer.state.weights.encoder[5, $0] } == encoder)
    }
}
