import FeatureCatalog
import Foundation
import TestSupport
import Testing

@Suite struct CatalogIndexWriterTests {
    private let directory: TemporaryDirectory
    private let sample: SampleCatalog
    private var catalog: Catalog { sample.catalog }

    init() throws {
        directory = try TemporaryDirectory()
        sample = try SampleCatalog(at: directory.file("a.catalog"))
    }

    private func rowCounts() throws -> [CatalogValue] {
        try ["indexing", "feature", "feature_layer", "feature_token", "context", "context_text", "layer_routing"].map {
            try catalog.rows(sql: "SELECT count(*) FROM \($0)").rows[0][0]
        }
    }

    @Test func anIndexThatStopsLeavesNothing() throws {
        struct Stop: Error {}
        let before = try rowCounts()
        let digest = try catalog.contentDigest()
        #expect(throws: Stop.self) {
            try catalog.writeIndex(sample.indexing, replacing: true) { writer in
                try writer.write(features: sample.features)
                try writer.write(contexts: Array(sample.contexts.prefix(20)))
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
        try sample.writeIndex(replacing: true)
        #expect(try catalog.features(dictionaryID: sample.dictionaryID) == sample.features)
        #expect(try catalog.search("word3", in: .contexts).rows.count == 1)
    }

    @Test func everyLatentNeedsARow() throws {
        for features in [
            Array(sample.features.dropLast()), Array(sample.features.dropFirst()), [],
            sample.features.map { feature in
                FeatureRecord(
                    featureIndex: feature.featureIndex + 1, firedCount: 0, meanActivation: nil, stdActivation: nil,
                    maxActivation: nil, quantiles: nil, decoderNorm: 1, documentCount: 0, histogram: [])
            },
        ] {
            expectCatalogError(.invalidValue, containing: "latents") {
                try catalog.writeIndex(sample.indexing, replacing: true) { try $0.write(features: features) }
            }
        }
    }

    @Test func contradictionsAreRefused() throws {
        func feature(fired: Int, histogram: [Int]) -> FeatureRecord {
            FeatureRecord(
                featureIndex: 0, firedCount: fired, meanActivation: 1, stdActivation: 0, maxActivation: 1,
                quantiles: nil, decoderNorm: 1, documentCount: 1, histogram: histogram)
        }
        for bad in [
            feature(fired: 4001, histogram: []), feature(fired: 3, histogram: [1, 2]),
            feature(fired: -1, histogram: []),
        ] {
            expectCatalogError(.invalidValue) {
                try catalog.writeIndex(sample.indexing, replacing: true) { try $0.write(features: [bad]) }
            }
        }
        for edges in [[0, 0], [1, 0], [0, .infinity], [.nan]] as [[Double]] {
            let indexing = IndexingRecord(
                dictionaryID: sample.dictionaryID, runID: sample.indexRunID, corpusID: nil, tokenCount: 1,
                documentCount: 1, histogramEdges: edges)
            expectCatalogError(.invalidValue) { try catalog.writeIndex(indexing, replacing: true) { _ in } }
        }
        let elsewhere = IndexingRecord(
            dictionaryID: 99, runID: sample.indexRunID, corpusID: nil, tokenCount: 1, documentCount: 1,
            histogramEdges: [])
        expectCatalogError(.notFound) { try catalog.writeIndex(elsewhere) { _ in } }
    }

    private func context(
        position: Int, start: Int, rank: Int, segment: Int, split: ContextRecord.Split?,
        band: ContextRecord.Band = .top, activation: Float = 2
    ) -> ContextRecord {
        var activations = [Float](repeating: 0, count: 10)
        activations[position - start] = activation
        return ContextRecord(
            featureIndex: 1, band: band, rank: rank, documentID: sample.documentIDs[0], tokenPosition: position,
            segment: segment, windowStart: start, layer: 3, routerWeight: nil, activation: activation, split: split,
            activations: activations, excerpt: "«x»")
    }

    private func write(_ contexts: [ContextRecord]) throws {
        try catalog.writeIndex(sample.indexing, replacing: true) { writer in
            try writer.write(features: sample.features)
            try writer.write(contexts: contexts)
        }
    }

    @Test func aPositionIsInOneBandAndOneSplit() throws {
        let first = context(position: 5, start: 0, rank: 0, segment: 0, split: .explain)
        expectCatalogError(.invalidValue, containing: "UNIQUE") {
            try write([first, context(position: 5, start: 0, rank: 1, segment: 0, split: .explain)])
        }
        expectCatalogError(.invalidValue, containing: "UNIQUE") {
            try write([first, context(position: 5, start: 0, rank: 0, segment: 0, split: nil, band: .sample)])
        }
    }

    @Test func splitsShareNoText() throws {
        let first = context(position: 5, start: 0, rank: 0, segment: 0, split: .explain)
        // The same segment, far away; another segment, overlapping by one token.
        for second in [
            context(position: 105, start: 100, rank: 1, segment: 0, split: .score),
            context(position: 12, start: 9, rank: 1, segment: 1, split: .score),
        ] {
            expectCatalogError(.invalidValue, containing: "share") { try write([first, second]) }
            expectCatalogError(.invalidValue, containing: "share") { try write([second, first]) }
        }
        // In the same split, in none, or next to each other in another segment they may be.
        try write([
            first, context(position: 105, start: 100, rank: 1, segment: 0, split: .explain),
            context(position: 106, start: 100, rank: 2, segment: 0, split: nil),
            context(position: 12, start: 10, rank: 3, segment: 1, split: .score),
        ])
        #expect(try catalog.contexts(dictionaryID: sample.dictionaryID, featureIndex: 1).count == 4)
    }

    @Test func theActivationIsThatOfThePeak() throws {
        var activations = [Float](repeating: 0, count: 10)
        activations[4] = 2
        for (position, activation, band) in [
            (5, Float(2), ContextRecord.Band.top), (4, 3, .top), (10, 2, .top), (4, 2, .quiet),
        ] {
            expectCatalogError(.invalidValue) {
                try write([
                    ContextRecord(
                        featureIndex: 1, band: band, rank: 0, documentID: sample.documentIDs[0],
                        tokenPosition: position, segment: 0, windowStart: 0, layer: 3, routerWeight: nil,
                        activation: activation, split: nil, activations: activations, excerpt: "x")
                ])
            }
        }
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

    @Test func aFullDiskIsReportedAndLeavesTheCatalogWhole() throws {
        let before = try rowCounts()
        try catalog.limitPages(to: catalog.pageCount() + 1)
        expectCatalogError(.cannotWrite, containing: "full") {
            try catalog.writeIndex(sample.indexing, replacing: true) { writer in
                try writer.write(features: sample.features)
                for round in 0..<1000 {
                    try writer.write(
                        contexts: [
                            context(position: 5 + round, start: round, rank: round, segment: round, split: nil)
                        ])
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
