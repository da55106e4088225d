import FeatureScoring
import RandomNumbers
import Testing
import Vocabulary

struct NeuronToGraphExplainerTests {
    private let explainer = NeuronToGraphExplainer()

    private func graph(
        _ tokens: [Int32],
        begins: Bool = false,
        configuration: NeuronToGraphConfiguration = .standard,
        rule: @escaping ([Int32]) -> Float
    ) throws -> NeuronGraph {
        let world = PlantedWorld(rules: [rule])
        let context = try ScoringContext(
            contextID: 1, tokens: tokens, activations: world.truth(feature: 0, tokens: tokens),
            peakIndex: tokens.count - 1, band: .top, split: .explain, beginsSequence: begins)
        return try NeuronToGraphExplainer(configuration: configuration)
            .explain(
                features: [FeatureContexts(featureIndex: 0, contexts: [context])], probe: world,
                padToken: PlantedWorld.pad
            )[0]
    }

    @Test("A token within two of another is found exactly") func aTokenWithinTwoOfAnotherIsFoundExactly() throws {
        // Token 7 after 3, either directly or with one token between.
        let world = PlantedWorld(rules: [
            { tokens in tokens.last == 7 && tokens.dropLast().suffix(2).contains(3) ? 2 : 0 }
        ])
        var generator = SplitMix64(seed: 11)
        let contexts = try world.contexts(
            feature: 0, count: 60, plants: [[3, 7], [3, 11, 7], [3, 12, 7]], distractions: [[5, 7], [3, 4]],
            using: &generator)
        let graph = try explainer.explain(
            features: [FeatureContexts(featureIndex: 0, contexts: contexts)], probe: world,
            padToken: PlantedWorld.pad)[0]
        #expect(graph.patterns.map(\.tokens) == [[3, 7], [3, nil, 7]])
        #expect(graph.patterns.allSatisfy { $0.activation == 2 })
        #expect(graph.unreducedContexts == 0)
        let score = try SimulationScore(of: graph.simulate(contexts.filter { $0.split == .score }), maximum: 2)
        #expect(score.status == .ok)
        #expect(try #require(score.value) > 0.999)
        #expect(try #require(score.rSquared) > 0.999)
        #expect(score.f1 == 1)
    }

    @Test func plantedFeaturesScoreOneAndWrongExplanationsScoreNothing() throws {
        let pairs: [[Int32]] = (0..<12).map { [Int32(2 + $0), Int32(20 + $0)] }
        let world = PlantedWorld(rules: pairs.map { firesOn($0[1], after: $0[0], activation: Float($0[0])) })
        var generator = SplitMix64(seed: 12)
        let features = try pairs.indices.map { index in
            FeatureContexts(
                featureIndex: index,
                contexts: try world.contexts(
                    feature: index, count: 48, plants: [pairs[index]], distractions: pairs, using: &generator))
        }

        let graphs = try explainer.explain(features: features, probe: world, padToken: PlantedWorld.pad)
        func score(_ feature: Int, with explanation: Int) throws -> Double? {
            try SimulationScore(
                of: graphs[explanation].simulate(features[feature].contexts.filter { $0.split == .score }),
                maximum: Float(pairs[feature][0])
            ).value
        }
        // Two hundred contexts ask four questions a feature: two suffixes, padding before the second, one replacement.
        #expect(features.flatMap(\.contexts).count { $0.split == .explain && $0.peakActivation > 0 } > 190)
        #expect(world.requests.count == 4 * features.count)
        #expect(world.callCount == 4)
        let donors = try #require(ChanceBaseline.donors(featureCount: features.count, seed: 3))
        let chance = ChanceBaseline(scores: try features.indices.map { try score($0, with: donors[$0]) })
        #expect(chance.scores.count > 6)
        #expect(try #require(chance.percentile()) < 0.2)
        for index in features.indices {
            #expect(graphs[index].patterns.map(\.tokens) == [pairs[index]])
            #expect(try #require(try score(index, with: index)) > 0.999)
            #expect(chance.isExceeded(by: try score(index, with: index)) == true)
        }
    }

    @Test func aFeatureWithoutARuleIsNotPredicted() throws {
        // Depends on the last four tokens in a way that nothing simple describes.
        let world = PlantedWorld(rules: [
            { tokens in
                let hash = tokens.suffix(4).reduce(UInt64(7)) { SplitMix64.mixed($0 ^ UInt64($1)) }
                return hash % 8 == 0 ? Float(hash % 97) / 10 : 0
            }
        ])
        var generator = SplitMix64(seed: 13)
        let contexts = try world.contexts(feature: 0, count: 60, plants: [[1]], using: &generator)
        let graph = try explainer.explain(
            features: [FeatureContexts(featureIndex: 0, contexts: contexts)], probe: world,
            padToken: PlantedWorld.pad)[0]
        #expect(graph.patterns.count > 10)
        let score = try SimulationScore(of: graph.simulate(contexts.filter { $0.split == .score }), maximum: 10)
        #expect(abs(score.value ?? 0) < 0.2)
    }

    @Test("The shortest suffix is found though longer ones fail")
    func theShortestSuffixIsFoundThoughLongerOnesFail() throws {
        // Length 2 keeps the activation, lengths 3 and 4 do not, length 5 does again: bisecting would miss it.
        let found = try graph([9, 8, 7, 6, 5]) { tokens in [2, 5].contains(tokens.filter { $0 != 0 }.count) ? 1 : 0 }
        #expect(found.patterns.map(\.tokens.count) == [2])
    }

    @Test func halfTheActivationIsEnoughForASuffixButNotForAWildcard() throws {
        // 10 in full; 5 for the last token alone.
        let half = try graph([3, 7]) { $0.contains(3) ? 10 : $0.last == 7 ? 5 : 0 }
        #expect(half.patterns.map(\.tokens) == [[7]])
        #expect(half.patterns[0].activation == 10)
        // 4 for the last token alone, so 3 is needed; without 4 exactly half is left, which is not more than half.
        let kept = try graph([3, 4, 7]) { $0.contains(3) ? ($0.contains(4) ? 10 : 5) : 4 }
        #expect(kept.patterns.map(\.tokens) == [[3, 4, 7]])
    }

    @Test("A pattern bound to the start is not used elsewhere")
    func whatFiresOnlyBehindTheStartIsNotAPatternElsewhere() throws {
        // After the begin-of-sequence token anything fires; elsewhere only 7 after 3.
        let rule: ([Int32]) -> Float = { $0.count == 1 ? 1 : firesOn(7, after: 3, activation: 1)($0) }
        #expect(try graph([5, 3, 7], rule: rule).patterns.map(\.tokens) == [[3, 7]])
        let unchecked = try NeuronToGraphConfiguration(checksStart: false)
        #expect(try graph([5, 3, 7], configuration: unchecked, rule: rule).patterns.map(\.tokens) == [[7]])
        let atStart = try graph([5], begins: true, rule: rule)
        #expect(atStart.patterns == [NeuronPattern(tokens: [5], startsSequence: true, activation: 1)])
        // The window is the whole context but nothing says that the sequence starts there.
        #expect(try graph([5], rule: rule).unreducedContexts == 1)
    }

    @Test func contextsThatNeedMoreTokensAreCounted() throws {
        let configuration = try NeuronToGraphConfiguration(maximumSuffix: 3)
        let found = try graph([1, 2, 3, 4, 5], configuration: configuration) { $0.contains(1) && $0.last == 5 ? 1 : 0 }
        #expect(found.unreducedContexts == 1)
        #expect(found.patterns.map(\.tokens) == [[3, 4, 5]])
    }

    @Test func paddingInTheTextIsNotItsOwnWildcard() throws {
        let pad = PlantedWorld.pad
        #expect(try graph([pad, 7], rule: firesOn(7, after: pad)).patterns.map(\.tokens) == [[pad, 7]])
    }

    @Test("Nothing to explain makes no call") func nothingToExplainAsksNothing() throws {
        let world = PlantedWorld(rules: [{ _ in 1 }])
        func context(_ activation: Float, _ split: ContextSplit) throws -> ScoringContext {
            try ScoringContext(
                contextID: 1, tokens: [4], activations: [activation], peakIndex: 0, band: .top, split: split)
        }

        let graphs = try explainer.explain(
            features: [
                FeatureContexts(featureIndex: 0, contexts: []),
                FeatureContexts(
                    featureIndex: 0,
                    contexts: [try context(0, .explain), try context(-1, .explain), try context(1, .score)]),
            ],
            probe: world, padToken: 0)
        #expect(graphs == [NeuronGraph(patterns: []), NeuronGraph(patterns: [])])
        #expect(world.callCount == 0)
        #expect(try explainer.explain(features: [], probe: world, padToken: 0).isEmpty)
    }

    @Test("No sequence is run twice") func nothingIsAskedTwiceAndNeighboursShareTokens() throws {
        let world = PlantedWorld(rules: [{ $0.last == 7 ? 1 : 0 }, { $0.last == 7 ? 2 : 0 }])
        var generator = SplitMix64(seed: 14)
        let features = try (0..<2).map {
            FeatureContexts(
                featureIndex: $0,
                contexts: try world.contexts(feature: $0, count: 60, plants: [[7]], using: &generator))
        }

        let graphs = try explainer.explain(features: features, probe: world, padToken: 0)
        #expect(graphs.map { $0.patterns.map(\.tokens) } == [[[7]], [[7]]])
        // Twenty contexts each, but one question: the token alone, then behind padding.
        #expect(
            world.requests
                == [[7], [0, 7]].flatMap { tokens in
                    (0..<2).map { ProbeRequest(featureIndex: $0, tokens: tokens) }
                })
        #expect(world.callCount == 2)
    }

    @Test func callsAreAsLargeAsAllowedAndProgressReachesItsEnd() throws {
        let world = PlantedWorld(rules: [{ $0.last == 7 && $0.contains(3) ? 1 : 0 }])
        var generator = SplitMix64(seed: 15)
        let contexts = try world.contexts(
            feature: 0, count: 30, plants: [[3, 9, 7], [3, 8, 4, 7]], using: &generator)
        var steps: [(Int, Int)] = []
        let configuration = try NeuronToGraphConfiguration(requestsPerCall: 4)
        let features = [FeatureContexts(featureIndex: 0, contexts: contexts)]
        let small = try withoutActuallyEscaping({ steps.append(($0, $1)) }) { report in
            try NeuronToGraphExplainer(configuration: configuration)
                .explain(features: features, probe: world, padToken: 0, progress: report)
        }
        #expect(small == (try explainer.explain(features: features, probe: world, padToken: 0)))
        let firing = contexts.count { $0.split == .explain && $0.peakActivation > 0 }
        #expect(steps.map(\.0) == steps.map(\.0).sorted())
        #expect(steps.last.map { [$0.0, $0.1] } == [2 * firing, 2 * firing])
        #expect(world.callCount > 3)
    }

    private struct BrokenProbe: ActivationProbe {
        let answer: [Float]
        func activations(of requests: [ProbeRequest]) throws -> [Float] { answer }
    }

    @Test func unusableAnswersAreNamed() throws {
        let context = try ScoringContext(
            contextID: 1, tokens: [4], activations: [1], peakIndex: 0, band: .top, split: .explain)
        let features = [FeatureContexts(featureIndex: 6, contexts: [context])]
        #expect(throws: ScoringError.probeCount(requested: 1, returned: 2)) {
            try explainer.explain(features: features, probe: BrokenProbe(answer: [1, 2]), padToken: 0)
        }
        #expect(throws: ScoringError.probeNotFinite(featureIndex: 6, tokens: [4])) {
            try explainer.explain(features: features, probe: BrokenProbe(answer: [.nan]), padToken: 0)
        }
    }

    @Test func settingsOutOfRangeAreNamed() {
        #expect(throws: ScoringError.invalidConfiguration(name: "maximumSuffix", value: "0", expected: "1 to 4096")) {
            try NeuronToGraphConfiguration(maximumSuffix: 0)
        }
        #expect(throws: ScoringError.self) { try NeuronToGraphConfiguration(keptShare: 0) }
        #expect(throws: ScoringError.self) { try NeuronToGraphConfiguration(wildcardShare: .nan) }
        #expect(throws: ScoringError.self) { try NeuronToGraphConfiguration(requestsPerCall: 0) }
    }
}
