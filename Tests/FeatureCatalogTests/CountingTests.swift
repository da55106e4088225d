import FeatureCatalog
import Foundation
import TestSupport
import Testing

@Suite struct CountingTests {
    /// The protocol as in the paper's code, over every activation, without SQL or the 33-class limit.
    private func bruteForce(
        _ firings: [(feature: Int, token: String, activation: Float)], threshold: Float
    ) -> (with: Set<Int>, without: Set<Int>) {
        var kept: [Int: [String: [Float]]] = [:]
        for firing in firings where firing.activation > threshold {
            var best = kept[firing.feature]?[firing.token] ?? []
            best.append(firing.activation)
            kept[firing.feature, default: [:]][firing.token] = Array(best.sorted(by: >).prefix(2))
        }

        var with: Set<Int> = []
        var without: Set<Int> = []
        for (feature, classes) in kept where classes.values.map(\.count).reduce(0, +) > 4 {
            without.insert(feature)
            if classes.count <= 32 { with.insert(feature) }
        }
        return (with, without)
    }

    @Test("Counting agrees with brute force", arguments: [1, 2, 3] as [UInt64])
    func agreesWithBruteForce(seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        let catalog = try Catalog.create(at: directory.file("a.catalog"), replacing: false)
        let (dictionaryID, key, runID) = try makeDictionary(in: catalog, seed: seed)
        var generator = SplitMix(state: seed)
        var firings: [(feature: Int, token: String, activation: Float)] = []
        for feature in 0..<SampleCatalog.latentCount {
            // From one class to sixty, and from few firings to many; activations on a grid, so that some equal t.
            let classes = 1 + generator.next(below: 60)
            for _ in 0..<generator.next(below: 200) {
                firings.append(
                    (feature, "w\(generator.next(below: classes))", Float(1 + generator.next(below: 40)) / 2))
            }
        }

        var peakLayers: [Int: Int] = [:]
        let indexing = IndexingRecord(
            key: key, runID: runID, tokenCount: 100_000, documentCount: 1, window: 16, histogramEdges: [])
        try catalog.writeIndex(indexing) { writer in
            for feature in 0..<SampleCatalog.latentCount {
                let own = firings.filter { $0.feature == feature }
                guard !own.isEmpty else {
                    try writer.write(SampleCatalog.silent(feature))
                    continue
                }
                peakLayers[feature] = 2 + feature % 3
                let strongest = Dictionary(grouping: own, by: \.token)
                    .map { (token: $0.key, activations: $0.value.map(\.activation).sorted(by: >)) }
                    .sorted { $0.activations[0] > $1.activations[0] }.prefix(FeatureTokenRecord.keptClassCount)
                try writer.write(
                    FeatureEntry(
                        record: FeatureRecord(
                            featureIndex: feature, firedCount: own.count, sumActivation: 1, sumSquare: 1,
                            minActivation: 0.5, maxActivation: 20, quantiles: nil, decoderNorm: 1, documentCount: 1,
                            histogram: []),
                        layers: [
                            FeatureLayerRecord(
                                featureIndex: feature, layer: 2 + feature % 3, firedCount: own.count,
                                sumActivation: 1, maxActivation: 1, sumRouterWeight: nil)
                        ],
                        tokens: strongest.map {
                            FeatureTokenRecord(
                                featureIndex: feature, tokenClass: $0.token, firedCount: $0.activations.count,
                                activation1: $0.activations[0],
                                activation2: $0.activations.count > 1 ? $0.activations[1] : nil)
                        }))
            }
        }

        let thresholds: [Float] = [0, 0.5, 1.5, 3, 5, 10, 15, 17.5, 19, 19.5, 20, 100]
        let together = try catalog.countInterpretable(key, thresholds: thresholds.map(Double.init))
        for (threshold, counted) in zip(thresholds, together) {
            let expected = bruteForce(firings, threshold: threshold)
            let count = try catalog.countInterpretable(key, threshold: Double(threshold))
            #expect(count == counted)
            #expect(count.withClassRule == expected.with.count, "t = \(threshold)")
            #expect(count.withoutClassRule == expected.without.count, "t = \(threshold)")
            // Through the token classes that the catalog keeps, as it was counted before the two columns were.
            let slow = try catalog.rows(sql: Self.slowSQL(dictionaryID, threshold)).rows
            #expect(slow.map { $0[0] } == expected.without.sorted().map { .integer(Int64($0)) })
            #expect(
                slow.filter { $0[1] == 1 }.map { $0[0] } == expected.with.sorted().map { .integer(Int64($0)) })
            for layer in 2...4 {
                let found = count.byLayer.first { $0.layer == layer }
                #expect(found?.withClassRule ?? 0 == expected.with.count { peakLayers[$0] == layer })
                #expect(found?.withoutClassRule ?? 0 == expected.without.count { peakLayers[$0] == layer })
            }
        }
        // The oracle has something to say in both directions.
        let middle = bruteForce(firings, threshold: 1.5)
        #expect(middle.with.count < middle.without.count && !middle.with.isEmpty)
        let own = try catalog.countInterpretable(key)
        let totals = InterpretableCount(
            threshold: own.threshold, withClassRule: own.withClassRule, withoutClassRule: own.withoutClassRule,
            byLayer: [])
        #expect(try catalog.countInterpretable(key, withLayers: false) == totals)
        #expect(own.threshold == 1.5)
        for other in [
            IndexingKey(dictionaryID: 99, corpusID: key.corpusID), IndexingKey(dictionaryID: dictionaryID, corpusID: 9),
        ] {
            expectCatalogError(.notFound) { _ = try catalog.countInterpretable(other, threshold: 1) }
        }
    }

    /// Features with enough contexts, and whether they have few enough classes.
    private static func slowSQL(_ dictionaryID: Int64, _ threshold: Float) -> String {
        """
        SELECT feature_index, sum(activation_1 > \(threshold)) <= 32
        FROM feature_token WHERE dictionary_id = \(dictionaryID)
        GROUP BY feature_index
        HAVING sum((activation_1 > \(threshold)) + ifnull(activation_2 > \(threshold), 0)) > 4
        ORDER BY feature_index
        """
    }

    private func makeDictionary(
        in catalog: Catalog, seed: UInt64? = nil
    ) throws -> (dictionaryID: Int64, key: IndexingKey, runID: Int64) {
        let runID = try catalog.beginRun(kind: .index, config: "{}", seed: seed)
        let modelID = try catalog.addLanguageModel(
            LanguageModelRecord(
                name: "tiny", architecture: "llama", layerCount: 8, dModel: SampleCatalog.dModel, vocabularySize: 50,
                configJSON: "{}", sha256: SampleCatalog.digest))
        let corpusID = try catalog.addCorpus(
            CorpusRecord(languageModelID: modelID, name: "c", sha256: SampleCatalog.digest))
        let dictionaryID = try catalog.addDictionary(
            SampleCatalog.dictionaryRecord(runID: runID, languageModelID: nil, name: "d"), tensors: [])
        return (dictionaryID, IndexingKey(dictionaryID: dictionaryID, corpusID: corpusID), runID)
    }

    @Test("Counting without an index is an error") func withoutAnIndexThereIsNothingToCount() throws {
        let directory = try TemporaryDirectory()
        let catalog = try Catalog.create(at: directory.file("a.catalog"), replacing: false)
        let (_, key, _) = try makeDictionary(in: catalog)
        expectCatalogError(.notFound, containing: "not indexed") {
            _ = try catalog.countInterpretable(key)
        }
    }
}
