import Foundation
import LanguageModel
import LinearAlgebra
import Safetensors
import TestSupport
import Testing

@Suite struct LanguageModelTests {
    /// 650 tokens: more than two blocks of rows, so that one, two and three workers share them out by blocks and five
    /// within each step.
    private func longBatch() throws -> TokenBatch {
        var generator = CounterGenerator(seed: 9)
        return try TokenBatch(
            sequences: [300, 129, 1, 220].map { length in (0..<length).map { _ in Int32(generator.index(below: 50)) } })
    }

    private func open(
        _ scratch: ScratchModel, threads: Int = 2, residency: WeightResidency = .automatic
    ) throws -> LanguageModel {
        try LanguageModel(directory: scratch.write(), workers: Workers(threads: threads), residency: residency)
    }

    @Test func bitsDoNotDependOnTheThreads() throws {
        // Wide enough for products of several tiles in both directions.
        let scratch = try ScratchModel(["intermediate_size": 1100])
        let batch = try longBatch()
        let first = try open(scratch, threads: 1)
        let streams = try first.residualStreams(of: batch, layers: [0, 1, 2]).values.elements
        let logits = try first.logits(of: batch).elements
        for threads in [2, 3, 5] {
            let model = try open(scratch, threads: threads)
            #expect(try model.residualStreams(of: batch, layers: [0, 1, 2]).values.elements == streams)
            #expect(try model.logits(of: batch).elements == logits)
        }
    }

    @Test func streamedAndResidentWeightsGiveTheSameBits() throws {
        let scratch = try ScratchModel(["vocab_size": 5000])
        let batch = try longBatch()
        let resident = try open(scratch, residency: .resident)
        let streamed = try open(scratch, residency: .streamed)
        #expect(resident.residency == .resident)
        #expect(streamed.residency == .streamed)
        #expect(try open(scratch, residency: .automatic).residency == .resident)
        for _ in 0..<2 {
            #expect(
                try streamed.residualStreams(of: batch, layers: [0, 2]).values.elements
                    == resident.residualStreams(of: batch, layers: [0, 2]).values.elements)
        }

        let short = try TokenBatch(sequences: [[4999, 3], [0]])
        #expect(try streamed.logits(of: short).elements == resident.logits(of: short).elements)
        #expect(try streamed.unembeddingRow(of: 4999) == resident.unembeddingRow(of: 4999))
        #expect(streamed.unembedding.normWeight.elements == resident.unembedding.normWeight.elements)
    }

    /// Weights that are bf16 stay so in memory; a matrix joined from tensors of several types is kept as fp32.
    @Test(arguments: [[], ["v_proj", "up_proj", "lm_head", "norm"], ["embed_tokens"]])
    func weightsOfAnyTypeGiveTheSameBits(_ others: [String]) throws {
        var scratch = try ScratchModel()
        for name in scratch.tensors.keys {
            scratch.types[name] = others.contains(where: name.contains) ? .f16 : .bf16
        }

        let resident = try open(scratch, residency: .resident)
        let streamed = try open(scratch, residency: .streamed)
        let batch = try longBatch()
        #expect(try streamed.logits(of: batch).elements == resident.logits(of: batch).elements)
        #expect(try streamed.unembeddingRow(of: 49) == resident.unembeddingRow(of: 49))
        let tokens: [Int32] = [4, 8, 15]
        let sessions = try [DecodingSession(resident, capacity: 3), DecodingSession(streamed, capacity: 3)]
        for token in tokens {
            let logits = try sessions.map { try $0.append([token]).logits.elements }
            #expect(logits[0] == logits[1])
        }
        // Panels of 64 rows; two norms a layer, the second at a multiple of 16 elements.
        let matrices = 3 * (64 * 24 + 64 * 24 + 128 * 24 + 64 * 40)
        if others.isEmpty {
            #expect(resident.residentBytesPerToken == matrices * 2 + 3 * 56 * 4 + 64 * 24 * 2 + 24 * 4)
        }
        #expect(streamed.residentBytesPerToken == nil)
    }

    /// A sequence's result is independent of the rest of the batch and of the previous content of scratch memory.
    @Test("Sequences of a batch are independent") func sequencesDoNotSeeEachOther() throws {
        let model = try open(ScratchModel())
        let batch = try longBatch()
        let together = try model.residualStreams(of: batch, layers: [2])
        for index in 0..<batch.sequenceCount {
            let range = batch.range(ofSequence: index)
            let alone = try model.residualStreams(of: TokenBatch(sequences: [Array(batch.tokens[range])]), layers: [2])
            #expect(range.flatMap { Array(together.stream(token: $0, slot: 0)) } == alone.values.elements)
        }
        #expect(try model.residualStreams(of: batch, layers: [2]).values.elements == together.values.elements)
    }

    @Test("One model serves several threads") func oneModelServesSeveralThreads() async throws {
        let model = try open(ScratchModel())
        let batch = try longBatch()
        let expected = try model.residualStreams(of: batch, layers: [2]).values.elements
        try await withThrowingTaskGroup(of: [Float].self) { group in
            for _ in 0..<4 {
                group.addTask { try model.residualStreams(of: batch, layers: [2]).values.elements }
            }
            for try await elements in group { #expect(elements == expected) }
        }
    }

    @Test("Layers are delivered in the order requested") func layersComeInTheOrderAskedFor() throws {
        let model = try open(ScratchModel())
        let batch = try TokenBatch(sequences: [[1, 2, 3], [4]])
        let straight = try model.residualStreams(of: batch, layers: [0, 1, 2])
        let mixed = try model.residualStreams(of: batch, layers: [2, 0, 2])
        #expect(mixed.layers == [2, 0, 2])
        #expect(mixed.values.rows == 4 && mixed.values.columns == 3 * 24)
        for token in 0..<4 {
            #expect(Array(mixed.stream(token: token, slot: 0)) == Array(straight.stream(token: token, slot: 2)))
            #expect(Array(mixed.stream(token: token, slot: 1)) == Array(straight.stream(token: token, slot: 0)))
            #expect(Array(mixed.stream(token: token, slot: 2)) == Array(straight.stream(token: token, slot: 2)))
        }
    }

    @Test func storageIsReused() throws {
        let model = try open(ScratchModel())
        let batch = try TokenBatch(sequences: [[1, 2, 3], [4]])
        let storage = Matrix(rows: 6, columns: 2 * 24)
        storage.fill(7)
        let streams = try model.residualStreams(of: batch, layers: [0, 1], into: storage)
        #expect(streams.values === storage)
        #expect(streams.tokens == 4)
        let expected = try model.residualStreams(of: batch, layers: [0, 1]).values.elements
        #expect(Array(storage.elements.prefix(4 * 48)) == expected)
        #expect(storage.elements.suffix(2 * 48).allSatisfy { $0 == 7 })
    }

    @Test("The pass ends after the last requested layer") func thePassEndsAfterTheLastLayerAskedFor() throws {
        let model = try open(ScratchModel())
        let batch = try TokenBatch(sequences: [[1, 2]])
        func visited(_ layers: [Int]) throws -> [Int] {
            var seen: [Int] = []
            _ = try model.residualStreams(of: batch, layers: layers, editing: { layer, _ in seen.append(layer) })
            return seen
        }
        #expect(try visited([0]) == [0])
        #expect(try visited([1, 0]) == [0, 1])
        #expect(try visited([]) == [])
        var seen: [Int] = []
        _ = try model.logits(of: batch, editing: { layer, _ in seen.append(layer) })
        #expect(seen == [0, 1, 2])
    }

    /// Replacing the streams by those of another text after layer 1 makes everything behind it that of the other text.
    @Test func anEditReplacesTheResidualStream() throws {
        let model = try open(ScratchModel())
        let batch = try TokenBatch(sequences: [[1, 2, 3]])
        let other = try TokenBatch(sequences: [[9, 8, 7]])
        let replacement = try model.residualStreams(of: other, layers: [1])
        let edit: ResidualEdit = { layer, residual in
            #expect(residual.rows == 3 && residual.columns == 24)
            if layer == 1 { residual.pointer.update(from: replacement.values.pointer, count: residual.count) }
        }

        let edited = try model.logits(of: batch, editing: edit)
        #expect(edited.elements == (try model.logits(of: other).elements))
        #expect(edited.elements != (try model.logits(of: batch).elements))
        // What is returned is what the edit left.
        let streams = try model.residualStreams(of: batch, layers: [0, 1], editing: edit)
        #expect(Array(streams.stream(token: 1, slot: 1)) == Array(replacement.stream(token: 1, slot: 0)))
        let untouched = try model.residualStreams(of: batch, layers: [0])
        #expect(Array(streams.stream(token: 1, slot: 0)) == Array(untouched.stream(token: 1, slot: 0)))
    }

    @Test("An edit may throw") func anEditMayRefuse() throws {
        struct Refusal: Error {}
        let model = try open(ScratchModel())
        let batch = try TokenBatch(sequences: [[1, 2, 3]])
        #expect(throws: Refusal.self) { try model.logits(of: batch, editing: { _, _ in throw Refusal() }) }
        let after = try model.logits(of: batch).elements
        #expect(try open(ScratchModel()).logits(of: batch).elements == after)
    }

    @Test func logitsOfTheLastTokens() throws {
        let model = try open(ScratchModel())
        let batch = try TokenBatch(sequences: [[1, 2, 3], [4], [5, 6]])
        let all = try model.logits(of: batch, rows: .all)
        let last = try model.logits(of: batch, rows: .lastOfEachSequence)
        #expect(all.rows == 6 && last.rows == 3)
        for (row, place) in [2, 3, 5].enumerated() {
            let expected = (0..<50).map { all[place, $0] }
            expectClose((0..<50).map { last[row, $0] }, expected, relative: 1e-6, "row \(row)")
        }
    }

    @Test("Unembedding the last layer gives the logits") func unembeddingIsTheEndOfThePass() throws {
        for tied in [false, true] {
            let scratch = try ScratchModel(["tie_word_embeddings": tied])
            let model = try open(scratch)
            let batch = try TokenBatch(sequences: [[1, 2, 3, 30]])
            let stream = try model.residualStreams(of: batch, layers: [2]).values
            let normed = try model.unembed(stream, applyingFinalNorm: true).elements
            #expect(normed == (try model.logits(of: batch).elements))
            let head = try #require(scratch.tensors[tied ? "model.embed_tokens.weight" : "lm_head.weight"]).elements
            #expect(try model.unembeddingRow(of: 7) == Array(head[7 * 24..<8 * 24]))
            #expect(model.unembedding.normWeight.elements == scratch.tensors["model.norm.weight"]?.elements)
            let expected = (0..<4 * 50).map { index in
                (0..<24).reduce(0.0) { $0 + Double(stream[index / 50, $1]) * Double(head[index % 50 * 24 + $1]) }
            }
            expectClose(
                try model.unembed(stream, applyingFinalNorm: false).elements, expected.map(Float.init), relative: 1e-6)
        }
    }

    @Test("Greedy decoding stops at an end token") func greedyEndsWhereTheModelDoes() throws {
        let model = try open(ScratchModel(["max_position_embeddings": 8]))
        // The last token is predicted from 8 positions and needs none itself.
        #expect(try model.greedy(prompt: [1, 2, 3], count: 100).count == 6)
        #expect(try model.greedy(prompt: [1, 2, 3], count: 0).isEmpty)
        #expect(throws: LanguageModelError.emptySequence(index: 0)) { try model.greedy(prompt: [], count: 1) }
    }

    @Test func tokensAndLengthsAreChecked() throws {
        let model = try open(ScratchModel(["max_position_embeddings": 8]))
        func error(_ sequences: [[Int32]]) throws -> LanguageModelError? {
            let batch = try TokenBatch(sequences: sequences)
            do {
                _ = try model.logits(of: batch)
                return nil
            } catch { return error as? LanguageModelError }
        }
        #expect(try error([[0, 49], [1]]) == nil)
        #expect(try error([[0, 1], [50]]) == .tokenOutOfRange(token: 50, position: 2, vocabularySize: 50))
        #expect(try error([[-1]]) == .tokenOutOfRange(token: -1, position: 0, vocabularySize: 50))
        #expect(
            try error([[1], [Int32](repeating: 1, count: 9)]) == .sequenceTooLong(index: 1, length: 9, maximum: 8))
        let batch = try TokenBatch(sequences: [[1]])
        for layer in [-1, 3] {
            #expect(throws: LanguageModelError.noSuchLayer(layer: layer, layerCount: 3)) {
                try model.residualStreams(of: batch, layers: [0, layer])
            }
        }
        #expect(throws: LanguageModelError.self) { try model.unembeddingRow(of: 50) }
    }

    /// transformers ties two tensors only where a checkpoint does not hold both.
    @Test("A model that calls its unembedding tied and holds another has that other one")
    func unembeddingBesideTied() throws {
        var tied = try ScratchModel(["tie_word_embeddings": true])
        let embedding = try #require(tied.tensors["model.embed_tokens.weight"])
        let batch = try TokenBatch(sequences: [[3, 1, 4]])
        func logits(_ scratch: ScratchModel, _ residency: WeightResidency) throws -> [Float] {
            try LanguageModel(directory: scratch.write(), workers: Workers(threads: 1), residency: residency)
                .logits(of: batch).elements
        }

        for residency in [WeightResidency.resident, .streamed] {
            let plain = try logits(tied, residency)
            tied.tensors["lm_head.weight"] = embedding
            #expect(try logits(tied, residency) == plain)
            tied.tensors["lm_head.weight"] = (embedding.shape, embedding.elements.map { 2 * $0 })
            #expect(try logits(tied, residency) == plain.map { 2 * $0 })
            tied.tensors["lm_head.weight"] = nil
        }
    }

    @Test("A session for a million tokens takes the memory of those it has") func cacheGrows() throws {
        let scratch = try ScratchModel(["max_position_embeddings": 16_777_216, "head_dim": 512])
        let model = try LanguageModel(directory: scratch.write(), workers: Workers(threads: 1))
        let session = try DecodingSession(model)
        #expect(session.capacity == 16_777_216)
        let tokens = (0..<600).map { Int32($0 % 50) }
        var last = Matrix(rows: 0, columns: 0)
        for first in stride(from: 0, to: 600, by: 150) {
            last = try session.append(Array(tokens[first..<first + 150])).logits
        }
        let whole = try model.logits(of: TokenBatch(sequences: [tokens]), rows: .lastOfEachSequence)
        #expect(last.elements == whole.elements)
    }
}
