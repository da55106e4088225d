import FeatureScoring
import RandomNumbers
import Testing

struct NeuronGraphTests {
    private func pattern(
        _ tokens: [Int32?],
        _ activation: Float,
        start: Bool = false,
        contexts: Int = 1
    ) -> NeuronPattern {
        NeuronPattern(tokens: tokens, startsSequence: start, activation: activation, contexts: contexts)
    }

    @Test func theLongestMatchDecides() {
        let graph = NeuronGraph(patterns: [pattern([7], 1), pattern([3, 7], 2), pattern([5, nil, 7], 4)])
        #expect(graph.predict(tokens: [7, 3, 7, 5, 3, 7, 9]) == [1, 0, 2, 0, 0, 4, 0])
    }

    @Test func exactEdgesArePreferredToWildcards() {
        let graph = NeuronGraph(patterns: [pattern([nil, 7], 1), pattern([3, 7], 2)])
        #expect(graph.predict(tokens: [7, 7, 3, 7]) == [0, 1, 0, 2])
    }

    @Test("A dead end falls back to the wildcard") func aDeadEndFallsBackToTheWildcard() {
        // After 3 the exact edge leads nowhere for 9, so only going back to the wildcard finds the match.
        let graph = NeuronGraph(patterns: [pattern([5, 3, 7], 2), pattern([9, nil, 7], 1)])
        #expect(graph.predict(tokens: [9, 3, 7]) == [0, 0, 1])
    }

    @Test func patternsOfWildcardsAloneMatchOnceLongEnough() {
        let graph = NeuronGraph(patterns: [pattern([nil, nil, nil], 3)])
        #expect(graph.predict(tokens: [1, 2, 3, 4]) == [0, 0, 3, 3])
        #expect(graph.summary { "t\($0)" } == "fires on * after * *")
    }

    @Test func patternsBoundToTheStartMatchOnlyThere() {
        let graph = NeuronGraph(patterns: [pattern([4, 7], 2, start: true), pattern([7], 1)])
        #expect(graph.predict(tokens: [4, 7, 4, 7], beginsSequence: true) == [0, 2, 0, 1])
        #expect(graph.predict(tokens: [4, 7, 4, 7]) == [0, 1, 0, 1])
        #expect(
            NeuronGraph(patterns: [pattern([4], 1, start: true), pattern([4], 2)])
                .predict(tokens: [4, 4], beginsSequence: true) == [1, 2])
    }

    @Test("An empty graph and a single token work") func nothingAndOneTokenAreFine() {
        let empty = NeuronGraph(patterns: [])
        #expect(empty.predict(tokens: [1, 2]) == [0, 0])
        #expect(empty.predict(tokens: []).isEmpty)
        #expect(empty.summary { "\($0)" } == "no pattern found")
        let one = NeuronGraph(patterns: [pattern([.max], 1)])
        #expect(one.predict(tokens: []).isEmpty)
        #expect(one.predict(tokens: [.max]) == [1])
    }

    @Test func equalPatternsMergeIntoTheirMeanInAnyOrder() {
        let parts = [pattern([3, 7], 1, contexts: 3), pattern([7], 9), pattern([3, 7], 5)]
        let graph = NeuronGraph(patterns: parts)
        #expect(graph.patterns == [pattern([7], 9), pattern([3, 7], 2, contexts: 4)])
        #expect(NeuronGraph(patterns: parts.reversed()) == graph)
    }

    /// The definition: of all matching patterns the longest, then the exact one first, going backwards.
    private func expected(_ patterns: [NeuronPattern], _ tokens: [Int32], _ last: Int, _ begins: Bool) -> Float {
        let matching = patterns.filter { pattern in
            let length = pattern.tokens.count
            guard length <= last + 1 else { return false }
            if pattern.startsSequence, !(begins && length == last + 1) { return false }
            return zip(pattern.tokens, tokens[(last + 1 - length)...]).allSatisfy { $0 == nil || $0 == $1 }
        }

        let best = matching.max { left, right in
            if left.tokens.count != right.tokens.count { return left.tokens.count < right.tokens.count }
            for (one, other) in zip(left.tokens.reversed(), right.tokens.reversed())
            where (one == nil) != (other == nil) {
                return one == nil
            }
            return !left.startsSequence && right.startsSequence
        }
        return best?.activation ?? 0
    }

    @Test func predictionAgreesWithTryingEveryPattern() {
        var generator = SplitMix64(seed: 1)
        for _ in 0..<400 {
            let drawn = (0..<generator.next(below: 14)).map { index in
                pattern(
                    (0...generator.next(below: 4)).map { _ in
                        generator.next(below: 3) == 0 ? nil : Int32(generator.next(below: 3))
                    },
                    Float(index + 1),
                    start: generator.next(below: 4) == 0
                )
            }

            let graph = NeuronGraph(patterns: drawn)
            let tokens = (0..<20).map { _ in Int32(generator.next(below: 3)) }
            for begins in [false, true] {
                let wanted = tokens.indices.map { expected(graph.patterns, tokens, $0, begins) }
                #expect(graph.predict(tokens: tokens, beginsSequence: begins) == wanted)
            }
        }
    }
}
