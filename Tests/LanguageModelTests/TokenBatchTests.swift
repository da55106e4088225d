import LanguageModel
import Testing

@Suite struct TokenBatchTests {
    @Test func sequencesLieOneBehindTheOther() throws {
        let batch = try TokenBatch(sequences: [[3, 1], [4], [1, 5, 9]])
        #expect(batch.tokens == [3, 1, 4, 1, 5, 9])
        #expect(batch.sequenceOffsets == [0, 2, 3, 6])
        #expect(batch.sequenceCount == 3)
        #expect(batch.longestSequence == 3)
        #expect(batch.range(ofSequence: 2) == 3..<6)
        #expect(try TokenBatch(tokens: [3, 1, 4, 1, 5, 9], sequenceOffsets: [0, 2, 3, 6]) == batch)
    }

    @Test("An empty batch is refused") func nothingIsRefused() {
        #expect(throws: LanguageModelError.malformedBatch(reason: "it has no sequence")) {
            try TokenBatch(sequences: [])
        }
        #expect(throws: LanguageModelError.emptySequence(index: 1)) { try TokenBatch(sequences: [[1], [], [2]]) }
        #expect(throws: LanguageModelError.emptySequence(index: 0)) { try TokenBatch(sequences: [[]]) }
    }

    @Test(arguments: [[], [0], [0, 2], [1, 3], [0, 4], [0, 2, 1, 3], [0, -1, 3]])
    func offsetsThatDoNotRiseAreRefused(_ offsets: [Int]) {
        #expect {
            try TokenBatch(tokens: [7, 8, 9], sequenceOffsets: offsets)
        } throws: { error in
            guard case .malformedBatch? = error as? LanguageModelError else { return false }
            return true
        }
    }
}
