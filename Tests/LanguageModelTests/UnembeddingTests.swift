import LanguageModel
import LinearAlgebra
import TestSupport
import Testing

@Suite struct UnembeddingTests {
    /// Tied or not, in memory or not, the rows are those of the checkpoint.
    @Test(arguments: [true, false], [WeightResidency.resident, .streamed])
    func rowsAreTheCheckpoints(tied: Bool, residency: WeightResidency) throws {
        let scratch = try ScratchModel(["tie_word_embeddings": tied, "vocab_size": 4500])
        let model = try LanguageModel(
            directory: scratch.write(), workers: Workers(threads: 2), residency: residency)
        let unembedding = model.unembedding
        let head = try #require(scratch.tensors[tied ? "model.embed_tokens.weight" : "lm_head.weight"]).elements
        #expect(unembedding.vocabularySize == 4500 && unembedding.dModel == 24)
        #expect(unembedding.normWeight.elements == scratch.tensors["model.norm.weight"]?.elements)
        var widened: Matrix?
        for tokens in [0..<1, 7..<9, 0..<4096, 4096..<4500, 3000..<3000] {
            try unembedding.withRows(of: tokens, scratch: &widened) { rows in
                let found = Array(UnsafeBufferPointer(start: rows, count: tokens.count * 24))
                #expect(found == Array(head[tokens.lowerBound * 24..<tokens.upperBound * 24]))
            }
        }
        #expect(widened?.rows == 4096)
    }

    @Test("A matrix in memory is returned without copying") func aMatrixInMemoryIsHandedOutAsItIs() throws {
        let matrix = Matrix(rows: 3, columns: 2, elements: [1, 2, 3, 4, 5, 6])
        let unembedding = Unembedding(matrix: matrix, normWeight: Matrix(rows: 1, columns: 2, elements: [1, 2]))
        #expect(unembedding.vocabularySize == 3 && unembedding.dModel == 2)
        var widened: Matrix?
        let rows = try unembedding.withRows(of: 1..<3, scratch: &widened) {
            Array(UnsafeBufferPointer(start: $0, count: 4))
        }
        #expect(rows == [3, 4, 5, 6])
        #expect(widened == nil)
    }

    @Test("Damage is found when the rows are read") func damageIsFoundWhereTheRowsAreRead() throws {
        var scratch = try ScratchModel()
        scratch.tensors["lm_head.weight"]?.elements[30 * 24] = .nan
        let model = try LanguageModel(
            directory: scratch.write(), workers: Workers(threads: 2), residency: .streamed)
        var widened: Matrix?
        try model.unembedding.withRows(of: 0..<30, scratch: &widened) { _ in }
        #expect(throws: LanguageModelError.self) {
            try model.unembedding.withRows(of: 29..<31, scratch: &widened) { _ in }
        }
    }
}
