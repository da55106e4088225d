import FeatureScoring
import Testing
import Vocabulary

struct ScoringContextTests {
    private func context(_ tokens: [Int32], _ activations: [Float], _ peak: Int) throws -> ScoringContext {
        try ScoringContext(
            contextID: 9, tokens: tokens, activations: activations, peakIndex: peak, band: .top, split: .explain)
    }

    @Test("Well-formed contexts are accepted") func wellFormedContextsAreTaken() throws {
        #expect(try context([5], [1.5], 0).peakActivation == 1.5)
    }

    @Test(
        arguments: [
            ([], [], 0, "it has no tokens"),
            ([1, 2], [0], 0, "it has 2 tokens and 1 activations"),
            ([1], [0], 1, "its peak is token 1 of 1"),
            ([1], [0], -1, "its peak is token -1 of 1"),
            ([1, 2], [0, Float.infinity], 0, "its activation at token 1 is inf"),
            ([1], [Float.nan], 0, "its activation at token 0 is nan"),
        ] as [([Int32], [Float], Int, String)])
    func malformedContextsAreNamed(tokens: [Int32], activations: [Float], peak: Int, reason: String) {
        #expect(throws: ScoringError.malformedContext(contextID: 9, reason: reason)) {
            try context(tokens, activations, peak)
        }
    }

    @Test("Errors are one line that names the position") func errorsAreOneLineThatNamesThePlace() {
        let error = ScoringError.malformedContext(contextID: 9, reason: "it has no tokens")
        #expect(error.description == "context 9 is malformed: it has no tokens; rebuild the index")
    }
}
