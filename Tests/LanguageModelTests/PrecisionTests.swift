import Foundation
import Glibc
import LanguageModel
import LinearAlgebra
import Safetensors
import TestSupport
import Testing

/// The forward pass with products of bf16.
@Suite struct PrecisionTests {
    private static let residencies: [WeightResidency] = [.resident, .streamed]

    private func open(
        _ scratch: ScratchModel, threads: Int = 2, _ residency: WeightResidency, precision: Precision = .bf16
    ) throws -> LanguageModel {
        try LanguageModel(
            directory: scratch.write(), workers: Workers(threads: threads), residency: residency, precision: precision)
    }

    /// A model whose tensors are bf16, but those whose names hold one of `others`, which are f32.
    private func model(_ changes: [String: Any?] = [:], except others: [String] = []) throws -> ScratchModel {
        var scratch = try ScratchModel(changes)
        for name in scratch.tensors.keys where !others.contains(where: name.contains) { scratch.types[name] = .bf16 }
        return scratch
    }

    private func batch(_ lengths: [Int] = [300, 129, 1, 220]) throws -> TokenBatch {
        var generator = CounterGenerator(seed: 9)
        return try TokenBatch(
            sequences: lengths.map { length in (0..<length).map { _ in Int32(generator.index(below: 50)) } })
    }

    @Test("Weights in the file, in memory, and rounded give the same bits on any number of threads")
    func residencyAndThreadsChangeNoBit() throws {
        let batch = try batch()
        for others in [[], ["v_proj", "mlp"], ["proj", "norm"]] {
            let scratch = try model(["intermediate_size": 1100], except: others)
            let expected = try open(scratch, threads: 1, .resident).residualStreams(of: batch, layers: [0, 2])
            let logits = try open(scratch, threads: 1, .resident).logits(of: batch).elements
            for residency in Self.residencies {
                for threads in [1, 2, 3] {
                    let other = try open(scratch, threads: threads, residency)
                    for _ in 0..<2 {
                        let streams = try other.residualStreams(of: batch, layers: [0, 2])
                        #expect(streams.values.elements == expected.values.elements)
                    }
                    #expect(try other.logits(of: batch).elements == logits)
                }
            }
        }
    }

    @Test("A token has the same bits alone, in any batch, and decoded one by one", arguments: residencies)
    func aTokenDoesNotDependOnItsCompany(_ residency: WeightResidency) throws {
        // Odd sides: pairs of terms end with a single one.
        let scratch = try model([
            "hidden_size": 36, "intermediate_size": 67, "num_attention_heads": 9, "head_dim": 6,
            "num_key_value_heads": 1,
        ])
        let model = try open(scratch, residency)
        let batch = try batch([70, 5, 1, 33])
        let together = try model.residualStreams(of: batch, layers: [2])
        let logits = try model.logits(of: batch)
        for index in 0..<batch.sequenceCount {
            let range = batch.range(ofSequence: index)
            let tokens = Array(batch.tokens[range])
            let alone = try model.residualStreams(of: TokenBatch(sequences: [tokens]), layers: [2])
            #expect(range.flatMap { Array(together.stream(token: $0, slot: 0)) } == alone.values.elements)
            let session = try DecodingSession(model, capacity: tokens.count)
            for (place, token) in tokens.enumerated() {
                let step = try session.append([token], layers: [2])
                #expect(Array(step.streams.stream(token: 0, slot: 0)) == Array(alone.stream(token: place, slot: 0)))
                #expect(
                    step.logits.elements
                        == Array(logits.elements[(range.lowerBound + place) * 50..<(range.lowerBound + place + 1) * 50])
                )
            }
        }
    }

    @Test("Operands of products are rounded to bf16, and nothing else")
    func onlyProductsAreRounded() throws {
        let scratch = try model(["hidden_size": 64, "num_attention_heads": 4, "intermediate_size": 96])
        var rounded = scratch
        for name in rounded.tensors.keys {
            rounded.tensors[name]?.elements = (scratch.tensors[name]?.elements ?? []).map {
                // As the writer stores it.
                BF16Matrix(rounding: [$0], rows: 1, columns: 1)[0, 0]
            }
        }
        var reference = ReferenceDecoder(rounded)
        let tokens: [Int32] = (0..<40).map { $0 * 7 % 50 }
        let exact = reference.run(tokens).layers[2].flatMap { $0 }
        reference.roundsProducts = true
        let expected = reference.run(tokens).layers[2].flatMap { $0 }
        let batch = try TokenBatch(sequences: [tokens])
        let streams = try open(scratch, .streamed).residualStreams(of: batch, layers: [2]).values.elements
        func error(_ values: [Double]) -> Double {
            let difference = zip(streams, values).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
            return (difference / values.reduce(0) { $0 + $1 * $1 }).squareRoot()
        }
        // An input at the border between two bf16 may be rounded either way, which is rare.
        #expect(error(exact) > 1e-3 && error(exact) < 2e-2, "\(error(exact))")
        #expect(error(expected) < error(exact) / 3, "\(error(expected)) of \(error(exact))")
    }

    @Test("An infinity or a NaN in the weights is found where it lies", arguments: residencies)
    func badWeightsAreFound(_ residency: WeightResidency) throws {
        var scratch = try model()
        let name = "model.layers.1.mlp.down_proj.weight"
        scratch.tensors[name]?.elements[77] = .nan
        let model = try open(scratch, residency)
        let path = scratch.directory.file("model.safetensors")
        let batch = try batch([5])
        _ = try model.residualStreams(of: batch, layers: [0])
        for _ in 0..<2 {
            #expect(throws: LanguageModelError.nonFiniteWeight(name: name, path: path, element: 77)) {
                try model.residualStreams(of: batch, layers: [2])
            }
        }
    }

    @Test("A file that becomes shorter under a running model is an error that names it")
    func aShortenedFileIsNamed() throws {
        let scratch = try model(["intermediate_size": 4000])
        let model = try open(scratch, .streamed)
        let batch = try batch([5])
        _ = try model.residualStreams(of: batch, layers: [2])
        let path = scratch.directory.file("model.safetensors")
        #expect(truncate(path, 100_000) == 0)
        do {
            _ = try model.residualStreams(of: batch, layers: [2])
            Issue.record("the weights were cut off")
        } catch let error as LanguageModelError {
            guard case .weights(.shortened(path, _, 100_000)) = error else {
                Issue.record("\(error)")
                return
            }
        }
    }
}
