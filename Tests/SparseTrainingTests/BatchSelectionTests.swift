import LinearAlgebra
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Vocabulary

/// The latents that BatchTopK keeps, against sorting all pre-activations.
@Suite struct BatchSelectionTests {
    private struct Kept: Equatable {
        var sample: Int
        var latent: Int
        var value: UInt32
    }

    private func encoder(latents: Int, width: Int, threads: Int, seed: UInt64 = 3) throws -> DictionaryEncoder {
        let configuration = try DictionaryConfiguration(
            architecture: .jumprelu, dModel: width, latents: latents, layers: [3], subtractsPreBias: true,
            thresholdForm: .shared)
        return DictionaryEncoder(
            configuration: configuration, weights: livelyWeights(configuration, seed: seed),
            workers: Workers(threads: threads))
    }

    private func input(_ encoder: DictionaryEncoder, count: Int, seed: UInt64, scale: Float = 1) throws
        -> AutoencoderInput
    {
        let batch = randomBatch(count: count, layers: [3], dModel: encoder.configuration.dModel, seed: seed)
        let input = AutoencoderInput(capacity: count, configuration: encoder.configuration)
        try encoder.read(batch, into: input)
        if scale != 1 { for index in 0..<input.centered.count { input.centered.pointer[index] *= scale } }
        return input
    }

    /// By sorting everything.
    private func expected(_ encoder: DictionaryEncoder, _ input: AutoencoderInput, count: Int, k: Int) -> [Kept] {
        let m = encoder.configuration.latents
        let products = Matrix(rows: count, columns: m)
        encoder.encoderProduct(input, 0..<count, into: products)
        var all: [(value: Float, sample: Int, latent: Int)] = []
        for sample in 0..<count {
            for latent in 0..<m {
                let value = products[sample, latent] + encoder.weights.latentBias.pointer[latent]
                if value > 0 { all.append((value, sample, latent)) }
            }
        }
        let kept = all.sorted { ($1.value, $0.sample, $0.latent) < ($0.value, $1.sample, $1.latent) }.prefix(count * k)
        return kept.sorted { ($0.sample, $0.latent) < ($1.sample, $1.latent) }
            .map { Kept(sample: $0.sample, latent: $0.latent, value: $0.value.bitPattern) }
    }

    private func kept(_ latents: SparseLatents, count: Int) -> [Kept] {
        (0..<count).flatMap { sample in
            (0..<Int(latents.counts[sample])).map { slot in
                Kept(
                    sample: sample, latent: Int(latents.indices(of: sample)[slot]),
                    value: latents.activations(of: sample)[slot].bitPattern)
            }
        }
    }

    /// Batches of one selection, one after another: the guess from one may be too high or too low for the next.
    @Test("The n · k largest are kept, whatever the batch before", arguments: [1, 3])
    func largest(threads: Int) throws {
        for (latents, k) in [(70, 3), (33, 1), (16, 16), (300, 20)] {
            let encoder = try encoder(latents: latents, width: 9, threads: threads)
            let selection = BatchSelection(encoder, k: k, workers: encoder.workers)
            for (step, (count, scale)) in [
                (600, Float(1)), (600, 1), (90, 1), (257, 0.01), (600, 100), (600, 1), (1, 1), (400, 1e-30),
            ].enumerated() {
                let input = try input(encoder, count: count, seed: UInt64(step), scale: scale)
                let found = SparseLatents(capacity: count, sharing: count * k)
                let least = selection.encode(input, count: count, into: found)
                let expected = expected(encoder, input, count: count, k: k)
                #expect(kept(found, count: count) == expected, "\(latents) \(k) step \(step)")
                #expect(least == expected.map { Float(bitPattern: $0.value) }.min())
            }
        }
    }

    /// Of equal values the first tokens' and latents' are kept, across tiles and samples.
    @Test("Ties go to the first", arguments: [1, 3]) func ties(threads: Int) throws {
        let encoder = try encoder(latents: 20, width: 9, threads: threads)
        encoder.weights.encoder.fill(0)
        for k in [1, 7, 20] {
            let selection = BatchSelection(encoder, k: k, workers: encoder.workers)
            for value in [Float(0.5), 0.5, 2] {
                encoder.weights.latentBias.fill(value)
                // One latent that is larger.
                encoder.weights.latentBias.pointer[13] = value + 1
                let input = try input(encoder, count: 700, seed: 1)
                let found = SparseLatents(capacity: 700, sharing: 700 * k)
                _ = selection.encode(input, count: 700, into: found)
                #expect(kept(found, count: 700) == expected(encoder, input, count: 700, k: k), "k \(k)")
            }
        }
    }

    @Test func nothingAboveZeroKeepsNothing() throws {
        let encoder = try encoder(latents: 20, width: 9, threads: 2)
        encoder.weights.encoder.fill(0)
        encoder.weights.latentBias.fill(-1)
        let selection = BatchSelection(encoder, k: 3, workers: encoder.workers)
        let input = try input(encoder, count: 300, seed: 1)
        let found = SparseLatents(capacity: 300, sharing: 900)
        #expect(selection.encode(input, count: 300, into: found) == nil)
        #expect(kept(found, count: 300).isEmpty)
    }

    @Test func aNaNShows() throws {
        for latent in [0, 19] {
            let encoder = try encoder(latents: 20, width: 9, threads: 2)
            let selection = BatchSelection(encoder, k: 3, workers: encoder.workers)
            let input = try input(encoder, count: 300, seed: 1)
            let found = SparseLatents(capacity: 300, sharing: 900)
            _ = selection.encode(input, count: 300, into: found)
            encoder.weights.latentBias.pointer[latent] = .nan
            #expect(selection.encode(input, count: 300, into: found) == nil)
            #expect((0..<found.offset(of: 300)).contains { found.activations[$0].isNaN })
            // And it goes on as before.
            encoder.weights.latentBias.pointer[latent] = 0.1
            _ = selection.encode(input, count: 300, into: found)
            #expect(kept(found, count: 300) == expected(encoder, input, count: 300, k: 3))
        }
    }
}
