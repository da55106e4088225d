import FeatureCatalog
import Foundation
import TestSupport
import Testing
import Vocabulary

@Suite struct CatalogIndexWriterTests {
    private let directory: TemporaryDirectory
    private let sample: SampleCatalog
    private var catalog: Catalog { sample.catalog }

    init() throws {
        directory = try TemporaryDirectory()
        sample = try SampleCatalog(at: directory.file("a.catalog"))
    }

    private func rowCounts() throws -> [CatalogValue] {
        try [
            "indexing", "feature", "feature_layer", "feature_token", "feature_linear_histogram", "feature_cofiring",
            "feature_context", "context", "passage", "passage_text", "layer_routing",
        ].map {
            try catalog.rows(sql: "SELECT count(*) FROM \($0)").rows[0][0]
        }
    }

    @Test("A stopped index leaves no rows") func anIndexThatStopsLeavesNothing() throws {
        struct Stop: Error {}
        let before = try rowCounts()
        let digest = try catalog.contentDigest()
        #expect(throws: Stop.self) {
            try catalog.writeIndex(sample.indexing, replacing: true) { writer in
                for entry in sample.entries.prefix(20) { try writer.write(entry) }
                // A call on the catalog itself takes part in the transaction.
                try catalog.recordMetrics(
                    runID: sample.indexRunID, [RunMetric(step: 0, name: "tokens", value: 1)])
                #expect(try catalog.runMetrics(sample.indexRunID).count == 1)
                throw Stop()
            }
        }
        #expect(try rowCounts() == before)
        #expect(try catalog.runMetrics(sample.indexRunID).isEmpty)
        #expect(try catalog.contentDigest() == digest)
        #expect(try catalog.verify().isEmpty)
    }

    @Test func anIndexIsNotReplacedUnlessAsked() throws {
        expectCatalogError(.exists) { try sample.writeIndex() }
        let before = try rowCounts()
        try sample.writeIndex(replacing: true)
        #expect(try catalog.features(sample.key) == sample.features)
        #expect(try rowCounts() == before)
        #expect(try catalog.verify().isEmpty)
    }

    @Test("Replacing an index deletes its explanations and scores")
    func replacingTakesExplanationsAndScoresAlong() throws {
        let runID = try catalog.beginRun(kind: .explain, config: "{}", seed: nil)
        let keys = try catalog.write(explanations: [
            ExplanationRecord(
                runID: runID, dictionaryID: sample.dictionaryID, featureIndex: 3, corpusID: sample.corpusID,
                method: "n2g", text: "Names of kings")
        ])
        try catalog.write(scores: [
            ScoreRecord(
                runID: runID, dictionaryID: sample.dictionaryID, featureIndex: 3, corpusID: sample.corpusID,
                explanationID: keys[0], method: .simulation, status: .ok, value: 0.5, contextCount: 1, tokenCount: 1)
        ])
        try sample.writeIndex(replacing: true)
        #expect(try catalog.explanations(dictionaryID: sample.dictionaryID).isEmpty)
        #expect(try catalog.scores(dictionaryID: sample.dictionaryID).isEmpty)
        #expect(try catalog.searchExplanations("kings").isEmpty)
    }

    @Test("Every latent needs a row") func everyLatentNeedsARow() throws {
        let entries = sample.entries
        for some in [Array(entries.dropLast()), Array(entries.dropFirst()), []] {
            expectCatalogError(.invalidValue, containing: "latents") {
                try sample.writeIndex(some, sample.indexing, replacing: true)
            }
        }
        for beyond in [SampleCatalog.latentCount, -1, .max] {
            expectCatalogError(.invalidValue, containing: "no feature \(beyond)") {
                try sample.writeIndex(
                    entries.dropLast() + [SampleCatalog.silent(beyond)], sample.indexing, replacing: true)
            }
        }
        expectCatalogError(.invalidValue, containing: "UNIQUE") {
            try sample.writeIndex(entries + [SampleCatalog.silent(0)], sample.indexing, replacing: true)
        }
    }

    @Test func contradictionsAreRefused() throws {
        func feature(fired: Int, histogram: [Int]) -> FeatureRecord {
            FeatureRecord(
                featureIndex: 0, firedCount: fired, sumActivation: 1, sumSquare: 1, minActivation: 1,
                maxActivation: 1, quantiles: nil, decoderNorm: 1, documentCount: 1, histogram: histogram)
        }

        let good = feature(fired: 3, histogram: [1, 2, 0, 0])
        let token = FeatureTokenRecord(
            featureIndex: 0, tokenClass: "x", firedCount: 1, activation1: 1, activation2: nil)
        func layer(of feature: Int) -> FeatureLayerRecord {
            FeatureLayerRecord(
                featureIndex: feature, layer: 2, firedCount: 3, sumActivation: 1, maxActivation: 1,
                sumRouterWeight: nil)
        }
        for bad in [
            FeatureEntry(record: feature(fired: 4001, histogram: [])),
            FeatureEntry(record: feature(fired: 3, histogram: [1, 2])),
            FeatureEntry(record: feature(fired: -1, histogram: [])),
            FeatureEntry(record: good, layers: [layer(of: 1)]),
            FeatureEntry(record: good, layers: [layer(of: 0), layer(of: 0)]),
            FeatureEntry(
                record: good,
                tokens: [
                    FeatureTokenRecord(
                        featureIndex: 7, tokenClass: "x", firedCount: 1, activation1: 1, activation2: nil)
                ]),
            FeatureEntry(record: good, tokens: [token, token]),
            FeatureEntry(
                record: good,
                tokens: [
                    FeatureTokenRecord(
                        featureIndex: 0, tokenClass: "x", firedCount: 2, activation1: 1, activation2: 2)
                ]),
            FeatureEntry(
                record: good,
                tokens: (0...FeatureTokenRecord.keptClassCount).map {
                    FeatureTokenRecord(
                        featureIndex: 0, tokenClass: "\($0)", firedCount: 1, activation1: 1, activation2: nil)
                }),
            FeatureEntry(record: good, cofirings: [CofiringRecord(otherIndex: 1, share: 1.5, lift: 1)]),
            FeatureEntry(record: good, cofirings: [CofiringRecord(otherIndex: -1, share: 0.5, lift: 1)]),
        ] {
            expectCatalogError(.invalidValue) {
                try catalog.writeIndex(sample.indexing, replacing: true) { try $0.write(bad) }
            }
        }
        try sample.writeIndex(
            [FeatureEntry(record: good, layers: [layer(of: 0)], tokens: [token])] + sample.entries.dropFirst(),
            sample.indexing, replacing: true)
        for edges in [[0, 0], [1, 0], [0, .infinity], [.nan]] as [[Double]] {
            expectCatalogError(.invalidValue) {
                try catalog.writeIndex(sample.indexing(of: sample.corpusID, edges: edges), replacing: true) { _ in }
            }
        }

        let elsewhere = IndexingRecord(
            key: IndexingKey(dictionaryID: 99, corpusID: sample.corpusID), runID: sample.indexRunID, tokenCount: 1,
            documentCount: 1, window: 16, histogramEdges: [])
        expectCatalogError(.notFound) { try catalog.writeIndex(elsewhere) { _ in } }
        expectCatalogError(.invalidValue, containing: "FOREIGN KEY") {
            try sample.writeIndex(sample.entries, sample.indexing(of: 99))
        }
    }

    /// A context whose window is zeros but for its peak.
    private func context(
        passage: Int, position: Int, rank: Int = 0, split: ContextSplit? = nil,
        band: ContextBand = .top
    ) -> ContextEntry {
        let end = min(max(position + 5, 16), 20)
        // All as strong as the feature gets.
        let activation = sample.entries[1].record.maxActivation ?? 0
        var activations = [Float](repeating: 0, count: 16)
        activations[position - (end - 16)] = activation
        return ContextEntry(
            band: band, rank: rank, passageID: sample.passageIDs[passage], position: position, layer: 3,
            routerWeight: nil, activation: activation, split: split, activations: activations)
    }

    private func write(_ contexts: [ContextEntry]) throws {
        var entries = sample.entries
        entries[1] = FeatureEntry(
            record: entries[1].record, layers: entries[1].layers, tokens: entries[1].tokens, contexts: contexts)
        try sample.writeIndex(entries, sample.indexing, replacing: true)
    }

    @Test("A position is in one band and one split") func aPositionIsInOneBandAndOneSplit() throws {
        let first = context(passage: 0, position: 5, split: .explain)
        for second in [
            context(passage: 0, position: 5, rank: 1, split: .explain),
            context(passage: 0, position: 5, band: .sample),
        ] {
            expectCatalogError(.invalidValue, containing: "two contexts of one token") { try write([first, second]) }
        }
        // A place in a band is taken once.
        expectCatalogError(.invalidValue, containing: "UNIQUE") {
            try write([first, context(passage: 1, position: 5, split: .explain)])
        }
        try write([first, context(passage: 0, position: 6, rank: 1, split: .explain)])
        #expect(try catalog.verify().isEmpty)
    }

    @Test("Splits share no text") func splitsShareNoText() throws {
        let first = context(passage: 0, position: 1, split: .explain)
        // The same passage, at its other end.
        let second = context(passage: 0, position: 19, rank: 1, split: .score)
        expectCatalogError(.invalidValue, containing: "share") { try write([first, second]) }
        expectCatalogError(.invalidValue, containing: "share") { try write([second, first]) }
        // In the same split, in none, or in the passage beside it they may be.
        try write([
            context(passage: 0, position: 19, split: .explain),
            context(passage: 0, position: 2, rank: 1, split: .explain),
            context(passage: 0, position: 3, rank: 2, split: nil),
            context(passage: 1, position: 0, rank: 3, split: .score),
        ])
        #expect(try catalog.contexts(sample.key, featureIndex: 1).count == 4)
    }

    @Test("The stored activation is that of the peak") func theActivationIsThatOfThePeak() throws {
        var activations = [Float](repeating: 0, count: 16)
        activations[4] = 2
        func entry(
            _ position: Int, _ activation: Float, _ band: ContextBand = .top, _ window: [Float]? = nil,
            passage: Int64? = nil
        ) -> ContextEntry {
            ContextEntry(
                band: band, rank: 0, passageID: passage ?? sample.passageIDs[0], position: position, layer: 3,
                routerWeight: nil, activation: activation, split: nil, activations: window ?? activations)
        }
        for bad in [
            entry(5, 2), entry(4, 3), entry(16, 2), entry(4, 2, .quiet), entry(20, 2), entry(-1, 2),
            entry(4, 2, .top, activations + [0]), entry(4, 2, .top, activations.dropLast()),
            entry(4, 2, .top, activations.dropLast() + [.nan]),
            entry(4, 2, .top, activations.dropLast() + [.infinity]), entry(4, 2, passage: 999),
        ] {
            expectCatalogError(.invalidValue) { try write([bad]) }
        }
        try write([entry(4, 2)])
    }

    @Test func aPassageOfAnotherCorpusIsRefused() throws {
        let other = try catalog.addCorpus(
            CorpusRecord(languageModelID: sample.languageModelID, name: "other", sha256: SampleCatalog.digest))
        let documents = try catalog.addDocuments(corpusID: other, sample.documents)
        let passages = try catalog.addPassages(SampleCatalog.passages(of: zip(documents, sample.documents)))
        let here = context(passage: 0, position: 5)
        expectCatalogError(.invalidValue, containing: "passage \(passages[0])") {
            try write([
                ContextEntry(
                    band: here.band, rank: 0, passageID: passages[0], position: here.position, layer: here.layer,
                    routerWeight: nil, activation: here.activation, split: nil, activations: here.activations)
            ])
        }
    }

    @Test func totalsFollowFromTheFeatures() throws {
        let row = try catalog.rows(
            sql: "SELECT n_alive, n_contexts, mean_active_per_token, mean_layer_entropy FROM indexing"
        ).rows[0]
        let fired = sample.features.map(\.firedCount).reduce(0, +)
        #expect(row[0] == 36)
        #expect(row[1] == .integer(Int64(sample.entries.map(\.contexts.count).reduce(0, +))))
        #expect(row[2] == .real(Double(fired) / 4000))
        let stored = try catalog.rows(sql: "SELECT avg(layer_entropy) FROM feature").rows[0][0]
        guard case .real(let mean) = row[3], case .real(let expected) = stored else {
            Issue.record("no entropy")
            return
        }
        #expect(abs(mean - expected) < 1e-12 && mean > 0.1)
    }

    @Test func derivedColumnsFollowFromTheRows() throws {
        let rows = try catalog.rows(
            sql: """
                SELECT feature_index, firing_rate, is_dead, peak_layer, peak_layer_share, layer_entropy, top_token
                FROM feature_summary ORDER BY feature_index
                """
        ).rows
        #expect(rows.count == SampleCatalog.latentCount)
        for (feature, row) in zip(sample.features, rows) {
            let layers = sample.featureLayers.filter { $0.featureIndex == feature.featureIndex }
            let classes = sample.featureTokens.filter { $0.featureIndex == feature.featureIndex }
            #expect(row[1] == .real(Double(feature.firedCount) / 4000))
            guard feature.firedCount > 0 else {
                #expect(Array(row[2...]) == [1, nil, nil, nil, nil])
                continue
            }

            let most = layers.map(\.firedCount).max() ?? 0
            let peak = try #require(layers.first { $0.firedCount == most })
            let total = Double(layers.map(\.firedCount).reduce(0, +))
            var entropy = 0.0
            for layer in layers { entropy -= Double(layer.firedCount) / total * log(Double(layer.firedCount) / total) }
            #expect(row[2] == 0 && row[3] == .integer(Int64(peak.layer)))
            #expect(row[4] == .real(Double(most) / total))
            guard case .real(let stored) = row[5] else {
                Issue.record("no entropy")
                continue
            }
            #expect(abs(stored - entropy) < 1e-12)
            let top = classes.sorted {
                ($1.firedCount, $1.activation1, $0.tokenClass) < ($0.firedCount, $0.activation1, $1.tokenClass)
            }.first
            #expect(row[6] == .text(top?.tokenClass ?? ""))
        }
    }

    @Test("A full disk is reported, and the catalog stays intact")
    func aFullDiskIsReportedAndLeavesTheCatalogWhole() throws {
        let before = try rowCounts()
        try catalog.limitPages(to: catalog.pageCount() + 1)
        expectCatalogError(.cannotWrite, containing: "full") {
            try catalog.writeIndex(sample.indexing, replacing: true) { writer in
                for entry in sample.entries { try writer.write(entry) }
                for round in 0..<1000 {
                    try catalog.addTokens(
                        languageModelID: sample.languageModelID,
                        [TokenRecord(tokenID: 1000 + round, text: String(repeating: "x", count: 5000))])
                }
            }
        }
        #expect(try rowCounts() == before)
        try catalog.limitPages(to: 1 << 20)
        try sample.writeIndex(replacing: true)
        #expect(try catalog.verify().isEmpty)
    }
}
