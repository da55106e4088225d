import FeatureScoring
import RandomNumbers
import Testing
import Vocabulary

struct ObservedGraphTests {
    @Test func plantedPatternsAreFoundWithoutAModel() throws {
        let world = PlantedWorld(rules: [firesOn(7, after: 3)])
        var generator = SplitMix64(seed: 21)
        let contexts = try world.contexts(
            feature: 0, count: 90, plants: [[3, 7]], distractions: [[5, 7], [6, 7], [3, 4]], using: &generator)
        let graph = NeuronGraph(observing: contexts)
        #expect(graph.patterns.map(\.tokens) == [[3, 7]])
        let score = try SimulationScore(of: graph.simulate(contexts.filter { $0.split == .score }), maximum: 2)
        #expect(try #require(score.value) > 0.999)
    }

    @Test("Tokens seen to differ become wildcards") func tokensThatAreSeenToDifferBecomeWildcards() throws {
        let world = PlantedWorld(rules: [{ $0.count > 2 && $0.last == 7 && $0[$0.count - 3] == 3 ? 1 : 0 }])
        var generator = SplitMix64(seed: 22)
        let contexts = try world.contexts(
            feature: 0, count: 240, plants: [[3, 11, 7], [3, 12, 7]], distractions: [[5, 11, 7], [6, 12, 7]],
            using: &generator)
        let graph = NeuronGraph(observing: contexts)
        #expect(graph.patterns.map(\.tokens) == [[3, nil, 7]])
    }

    @Test("Scoring contexts are not used for the explanation") func scoreContextsAreNotLookedAt() throws {
        let context = try ScoringContext(
            contextID: 1, tokens: [4], activations: [1], peakIndex: 0, band: .top, split: .score)
        #expect(NeuronGraph(observing: [context]).patterns.isEmpty)
        #expect(NeuronGraph(observing: []).patterns.isEmpty)
    }

    @Test func aLoneTokenAndContradictionsAreFine() throws {
        func context(_ activation: Float) throws -> ScoringContext {
            try ScoringContext(
                contextID: 1, tokens: [4], activations: [activation], peakIndex: 0, band: .top, split: .explain)
        }
        #expect(NeuronGraph(observing: [try context(1)]).patterns.map(\.tokens) == [[4]])
        let contradicted = NeuronGraph(observing: [try context(1), try context(0), try context(0)])
        #expect(contradicted.unreducedContexts == 1)
    }
}
