import ActivationPipeline
import FeatureCatalog
import Foundation
import Indexing
import LanguageModel
import LinearAlgebra
import Scoring
import SparseCoding
import TestSupport
import Testing
import Tokenization
import Training
import Vocabulary
import WorkflowWorlds

/// Indexing against a naive computation on the same text: one document at a time, one token at a time.
@Suite struct IndexingRunTests {
    struct Fire {
        let document: Int
        let position: Int
        let layer: Int
        let activation: Float
    }

    static let context = 48
    static let key = IndexingKey(dictionaryID: 1, corpusID: 1)

    private func indexed(_ demo: DemoModel, at path: String, seed: UInt64 = 5) throws {
        let text = try demo.text()
        let training = TrainingSettings(
            name: "d", model: DemoModel.path, text: [text], latents: 96, k: 6, batchTokens: 64, steps: 6,
            context: Self.context, seed: 1)
        try train([training], catalog: path)
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        defer { _ = try? catalog.close() }
        _ = try IndexingRun(
            settings: IndexingSettings(
                dictionary: "d", model: DemoModel.path, text: [text],
                options: IndexingOptions(
                    context: Self.context, topContexts: 4, sampleContexts: 5, quietContexts: 3, window: 16),
                seed: seed), workers: Workers(threads: 2)
        ).run(on: catalog)
    }

    /// Every firing by brute force, and the number of real tokens.
    private func firings(_ demo: DemoModel, _ catalog: Catalog) throws -> (byFeature: [[Fire]], tokens: Int) {
        let stored = try StoredDictionary(named: "d", in: catalog)
        let encoder = DictionaryEncoder(
            configuration: stored.configuration, weights: stored.weights, workers: Workers(threads: 1))
        let bos = try #require(demo.folder.tokenizer.bosTokenID)
        var found = Array(repeating: [Fire](), count: stored.configuration.latents)
        var count = 0
        for (document, text) in DemoModel.texts.enumerated() {
            let ids = demo.folder.tokenizer.encode(text, addSpecialTokens: false)
            for start in stride(from: 0, to: ids.count, by: Self.context - 1) {
                let own = ids[start..<min(start + Self.context - 1, ids.count)]
                let streams = try demo.folder.model.residualStreams(
                    of: TokenBatch(sequences: [[bos] + own]), layers: stored.configuration.layers)
                let batch = ActivationBatch(
                    capacity: own.count, layers: stored.configuration.layers, dModel: DemoModel.width)
                batch.count = own.count
                batch.values.pointer.update(from: streams.values.row(1), count: batch.values.count)
                let routed = AutoencoderInput(capacity: own.count, configuration: stored.configuration)
                try encoder.read(batch, into: routed)
                let latents = SparseLatents(capacity: own.count, configuration: stored.configuration)
                encoder.encode(routed, count: own.count, into: latents)
                for token in 0..<own.count {
                    count += 1
                    for slot in 0..<Int(latents.counts[token]) where latents.activations(of: token)[slot] > 0 {
                        found[Int(latents.indices(of: token)[slot])].append(
                            Fire(
                                document: document, position: start + token,
                                layer: stored.configuration.layers[Int(routed.selected[token])],
                                activation: latents.activations(of: token)[slot]))
                    }
                }
            }
        }
        return (found, count)
    }

    @Test("Statistics equal a naive computation") func statisticsEqualANaiveAccount() throws {
        let demo = try DemoModel()
        let path = demo.directory.file("c.sqlite")
        try indexed(demo, at: path)
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        let (expected, tokens) = try firings(demo, catalog)
        let indexing = try #require(try catalog.indexing(Self.key))
        #expect(indexing.tokenCount == tokens)
        #expect(indexing.documentCount == DemoModel.texts.count)
        let features = try catalog.features(Self.key)
        #expect(features.count == expected.count)
        #expect(expected.contains { !$0.isEmpty })
        for (feature, fires) in zip(features, expected) {
            #expect(feature.firedCount == fires.count)
            #expect(feature.documentCount == Set(fires.map(\.document)).count)
            #expect(feature.histogram.reduce(0, +) == fires.count)
            guard !fires.isEmpty else {
                #expect(feature.maxActivation == nil)
                #expect(try catalog.linearHistogram(Self.key, featureIndex: feature.featureIndex) == nil)
                continue
            }

            let values = fires.map { Double($0.activation) }
            let bins = try #require(try catalog.linearHistogram(Self.key, featureIndex: feature.featureIndex))
            #expect(bins.total == fires.count && bins.isNarrowest)
            var below = 0
            for (place, count) in bins.counts.enumerated() {
                let edge = Double(bins.firstBin + place) * bins.binWidth
                // Two ways to compute an activation differ in its last bits.
                #expect(values.count { $0 < edge * (1 - 1e-4) } <= below)
                #expect(values.count { $0 < edge * (1 + 1e-4) } >= below)
                below += count
            }
            #expect(abs(Double(feature.minActivation ?? .nan) - (values.min() ?? 0)) < 1e-4 * (values.max() ?? 0))
            let mean = values.reduce(0, +) / Double(values.count)
            #expect(abs((feature.meanActivation ?? .nan) - mean) < 1e-4 * mean)
            let square = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
            #expect(abs((feature.stdActivation ?? .nan) - max(0, square - mean * mean).squareRoot()) < 1e-3 * mean)
            #expect(abs(Double(feature.maxActivation ?? .nan) - (values.max() ?? 0)) < 1e-4 * mean)
            let layers = try catalog.featureLayers(Self.key, featureIndex: feature.featureIndex)
            #expect(
                Dictionary(uniqueKeysWithValues: layers.map { ($0.layer, $0.firedCount) })
                    == Dictionary(grouping: fires, by: \.layer).mapValues(\.count))
            let classes = try catalog.featureTokens(Self.key, featureIndex: feature.featureIndex)
            if classes.count < FeatureTokenRecord.keptClassCount {
                #expect(classes.reduce(0) { $0 + $1.firedCount } == fires.count)
            }
        }

        let routing = try catalog.layerRouting(dictionaryID: 1, runID: indexing.runID)
        #expect(routing.reduce(0) { $0 + $1.tokenCount } == tokens)
        #expect(abs(routing.reduce(0.0) { $0 + ($1.meanRouterWeight ?? 0) } - 1) < 1e-5)
    }

    @Test("Contexts hold the feature's activations") func contextsHoldWhatTheFeatureDoes() throws {
        let demo = try DemoModel()
        let path = demo.directory.file("c.sqlite")
        try indexed(demo, at: path)
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        let (expected, _) = try firings(demo, catalog)
        let documents = try catalog.documentIDs(corpusID: 1)
        var seen: Set<ContextBand> = []
        for feature in expected.indices {
            let contexts = try catalog.contexts(Self.key, featureIndex: feature)
            let truth = Dictionary(grouping: expected[feature], by: \.document)
            for context in contexts {
                seen.insert(context.band)
                let document = try #require(documents.firstIndex(of: context.documentID))
                var window = Array(repeating: Float(0), count: context.activations.count)
                for fire in truth[document] ?? [] where (0..<window.count).contains(fire.position - context.windowStart)
                {
                    window[fire.position - context.windowStart] = fire.activation
                }
                expectClose(context.activations, window, relative: 1e-3, absolute: 1e-4)
                let peak = context.activations[context.tokenPosition - context.windowStart]
                #expect(abs(peak - context.activation) < 1e-2)
                if context.band == .quiet { #expect(window.allSatisfy { $0 == 0 }) }
                // A window never leaves its segment.
                let segment = context.segment * (Self.context - 1)
                #expect(context.windowStart >= segment)
                #expect(context.windowStart + window.count <= segment + Self.context - 1)
            }
            // No segment serves both to explain and to score.
            let splits = Dictionary(grouping: contexts) { "\($0.documentID)/\($0.segment)" }
            #expect(splits.values.allSatisfy { Set($0.map(\.split)).count == 1 })
            // The strongest firing is the first of `top`.
            if let strongest = expected[feature].map(\.activation).max() {
                let top = contexts.filter { $0.band == .top }
                #expect(abs((top.first?.activation ?? 0) - strongest) < 1e-3 * strongest)
                #expect(top.map(\.activation) == top.map(\.activation).sorted(by: >))
            } else {
                #expect(contexts.allSatisfy { $0.band == .quiet })
            }
        }
        #expect(seen == Set(ContextBand.allCases))
    }

    @Test("Equal runs have equal digests and equal scores") func equalRunsGiveEqualDigestsAndScoresRepeat() throws {
        let demo = try DemoModel()
        var digests: [String] = []
        for (name, threads) in [("a", 2), ("b", 1)] {
            let path = demo.directory.file(name + ".sqlite")
            try indexed(demo, at: path)
            let catalog = try Catalog.open(at: path, mode: .readWrite)
            defer { _ = try? catalog.close() }
            let result = try ScoringRun(
                settings: ScoringSettings(
                    dictionary: "d", model: DemoModel.path, sample: 12, minimumFirings: 2, maximumSuffix: 4, seed: 2),
                workers: Workers(threads: threads)
            ).run(on: catalog)
            #expect(result.features.count == 12)
            #expect(try catalog.explanations(dictionaryID: 1, featureIndex: result.features[0]).count == 1)
            digests.append(try catalog.contentDigest())
        }
        #expect(digests[0] == digests[1])
    }

    @Test("Replacing an index needs `--replace`") func aSecondIndexHasToBeAskedFor() throws {
        let demo = try DemoModel()
        let path = demo.directory.file("c.sqlite")
        try indexed(demo, at: path)
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        defer { _ = try? catalog.close() }
        let again = IndexingRun(
            settings: IndexingSettings(
                dictionary: "d", model: DemoModel.path, text: [try demo.text()],
                options: IndexingOptions(context: Self.context)), workers: Workers(threads: 2))
        #expect(throws: WorkflowError.self) { try again.run(on: catalog) }
        _ = try again.run(on: catalog, replacing: true)
        #expect(try catalog.indexings(dictionaryID: 1).map(\.key) == [Self.key])
    }

    @Test("A second corpus is indexed beside the first") func aSecondCorpusStandsBesideTheFirst() throws {
        let demo = try DemoModel()
        let path = demo.directory.file("c.sqlite")
        try indexed(demo, at: path)
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        defer { _ = try? catalog.close() }
        let before = try catalog.contentDigests(of: Self.key).map(\.sha256)
        // The second and third document of the first text, under another name.
        let result = try IndexingRun(
            settings: IndexingSettings(
                dictionary: "d", model: DemoModel.path, text: [try demo.text(Array(DemoModel.texts[1...2]))],
                corpus: "part",
                options: IndexingOptions(
                    context: Self.context, topContexts: 4, sampleContexts: 5, quietContexts: 3, window: 16), seed: 5),
            workers: Workers(threads: 2)
        ).run(on: catalog)
        #expect(result.key == IndexingKey(dictionaryID: 1, corpusID: 2) && result.documents == 2)
        #expect(try catalog.contentDigests(of: Self.key).map(\.sha256) == before)
        #expect(try catalog.corpora().map(\.name) == ["text", "part"])
        #expect(try catalog.verify().isEmpty)
        // A part fires no more than the whole.
        let (whole, part) = (try catalog.features(Self.key), try catalog.features(result.key))
        #expect(zip(part, whole).allSatisfy { $0.firedCount <= $1.firedCount && $0.decoderNorm == $1.decoderNorm })
        #expect(part.contains { $0.firedCount > 0 })
    }
}
