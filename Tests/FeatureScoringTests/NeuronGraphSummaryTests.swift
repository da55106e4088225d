import FeatureScoring
import Testing

struct NeuronGraphSummaryTests {
    private let words: [Int32: String] = [
        1: " begat", 2: " and", 3: " the", 4: " son", 5: "\n\u{1B}[31m", 6: "\"\\", 7: " of", 8: " David",
    ]

    private func summary(_ patterns: [NeuronPattern], limit: Int = 4) -> String {
        NeuronGraph(patterns: patterns).summary(limit: limit) { words[$0] ?? "?" }
    }

    @Test func onePatternIsNamed() {
        #expect(summary([NeuronPattern(tokens: [1], activation: 3)]) == #"fires on " begat""#)
    }

    @Test func theMostSupportedTokensComeFirstAndTheStrongestPatternLast() {
        let text = summary([
            NeuronPattern(tokens: [1], activation: 3, contexts: 5),
            NeuronPattern(tokens: [2, 1], activation: 8.456, contexts: 1),
            NeuronPattern(tokens: [3, 4], activation: 1, contexts: 2),
        ])
        #expect(text == #"fires on " begat", " son" after " the"; strongest on " begat" after " and" (8.46)"#)
    }

    @Test("Alternatives, wildcards and the start are shown") func waysWildcardsAndTheStartAreShown() {
        #expect(
            summary([
                NeuronPattern(tokens: [4, 7, nil, 1], activation: 2, contexts: 3),
                NeuronPattern(tokens: [3, 1], startsSequence: true, activation: 2, contexts: 2),
                NeuronPattern(tokens: [2, 1], activation: 1, contexts: 1),
            ]) == #"fires on " begat" after " son of" * or ^ " the" or …; strongest on " begat" after " son of" * (2)"#)
    }

    @Test("Long lists are shortened and counted") func longListsAreCutAndCounted() {
        let patterns = (1...8).map { NeuronPattern(tokens: [$0], activation: Float($0), contexts: 9 - Int($0)) }
        #expect(
            summary(patterns, limit: 2) == #"fires on " begat", " and" and 6 more; strongest on " David" (8)"#)
    }

    @Test func hostileTokensStayOnOneLine() {
        let text = summary([NeuronPattern(tokens: [6, 5], activation: 1)])
        #expect(text == #"fires on "\n\u{1b}[31m" after "\"\\""#)
    }
}
