import FeatureCatalog
import GRDB
import TestSupport
import Testing
import Vocabulary

/// Indexes of one dictionary on two corpora.
@Suite struct CorporaTests {
    private let directory: TemporaryDirectory
    private let sample: SampleCatalog
    private let other: (corpusID: Int64, passageIDs: [Int64])
    private let entries: [FeatureEntry]
    private let indexing: IndexingRecord
    private var key: IndexingKey { indexing.key }
    private var catalog: Catalog { sample.catalog }

    private static let tables = [
        "indexing", "feature", "feature_layer", "feature_token", "feature_linear_histogram", "feature_cofiring",
        "feature_context",
        "explanation", "score",
    ]

    init() throws {
        directory = try TemporaryDirectory()
        sample = try SampleCatalog(at: directory.file("a.catalog"))
        other = try sample.addCorpus(named: "other")
        entries = sample.entries(of: other)
        // The sample's index was there before.
        indexing = sample.indexing(
            of: other.corpusID, runID: try sample.catalog.beginRun(kind: .index, config: "{}", seed: nil))
        try sample.writeIndex(entries, indexing)
        for key in [sample.key, indexing.key] {
            let keys = try sample.catalog.write(
                explanations: [3, 5].map {
                    ExplanationRecord(
                        runID: sample.trainRunID, dictionaryID: key.dictionaryID, featureIndex: $0,
                        corpusID: key.corpusID, method: "n2g", text: "feature \($0) on corpus \(key.corpusID)")
                })
            try sample.catalog.write(
                scores: zip(keys, [3, 5]).map { explanation, feature in
                    ScoreRecord(
                        runID: sample.trainRunID, dictionaryID: key.dictionaryID, featureIndex: feature,
                        corpusID: key.corpusID, explanationID: explanation, method: .simulation, status: .ok,
                        value: Double(key.corpusID) / 4, contextCount: 1, tokenCount: 1)
                })
        }
    }

    private func rows(of key: IndexingKey) throws -> [[[CatalogValue]]] {
        try Self.tables.map { table in
            try catalog.rows(
                sql: "SELECT * FROM \(table) WHERE dictionary_id = ? AND corpus_id = ? ORDER BY 1, 2, 3, 4, 5",
                arguments: [.integer(key.dictionaryID), .integer(key.corpusID)]
            ).rows
        }
    }

    @Test("Two indexes of one dictionary are read back as written") func eachIsReadBackAsItWasWritten() throws {
        #expect(other.corpusID != sample.corpusID)
        for (key, entries) in [(sample.key, sample.entries), (key, entries)] {
            #expect(try catalog.features(key) == entries.map(\.record))
            for (feature, entry) in entries.enumerated() {
                #expect(try catalog.featureLayers(key, featureIndex: feature) == entry.layers)
                #expect(try catalog.cofirings(key, featureIndex: feature) == entry.cofirings)
                #expect(
                    try Set(catalog.featureTokens(key, featureIndex: feature).map(\.activation1))
                        == Set(entry.tokens.map(\.activation1)))
                let contexts = try catalog.contexts(key, featureIndex: feature)
                #expect(contexts.map(\.activations) == entry.contexts.map(\.activations))
                #expect(contexts.map(\.passageID) == entry.contexts.map(\.passageID))
            }
        }
        #expect(sample.features != entries.map(\.record))
        #expect(try catalog.indexings(dictionaryID: sample.dictionaryID).map(\.key) == [sample.key, key])
        #expect(try catalog.verify().isEmpty)
        let counts = try [sample.key, key].map { try catalog.countInterpretable($0, threshold: 1) }
        #expect(counts[0] != counts[1])
    }

    @Test("Views tell two corpora apart") func viewsTellThemApart() throws {
        let names = try catalog.rows(
            sql: """
                SELECT corpus_id, corpus, explanation, simulation_score FROM feature_summary
                WHERE feature_index = 3 ORDER BY corpus_id
                """)
        #expect(
            names.rows == [
                [1, "held-out", "feature 3 on corpus 1", 0.25], [2, "other", "feature 3 on corpus 2", 0.5],
            ])
        let dictionaries = try catalog.rows(
            sql: "SELECT corpus, mean_simulation_score, n_explained, n_contexts FROM dictionary_summary ORDER BY 1")
        #expect(dictionaries.rows == [["held-out", 0.25, 2, 324], ["other", 0.5, 2, 324]])
        for (corpus, entries) in [("held-out", sample.entries), ("other", entries)] {
            let profile = try catalog.rows(
                sql: "SELECT layer, n_fired, n_features FROM layer_profile WHERE corpus = ? ORDER BY layer",
                arguments: [.text(corpus)])
            #expect(
                profile.rows
                    == SampleCatalog.layers.map { layer in
                        let parts = entries.flatMap(\.layers).filter { $0.layer == layer }
                        return [layer, parts.map(\.firedCount).reduce(0, +), parts.count].map { .integer(Int64($0)) }
                    })
        }

        let contexts = try catalog.rows(
            sql: """
                SELECT count(*), count(DISTINCT context_id), count(DISTINCT document_id) FROM context GROUP BY corpus_id
                """)
        #expect(contexts.rows == [[324, 324, 5], [324, 324, 5]])
        #expect(try catalog.rows(sql: "SELECT count(DISTINCT context_id) FROM context").rows == [[648]])
        let listing = try FeatureListing(
            "n_fired", of: IndexingKey(dictionaryID: sample.dictionaryID, corpusID: 2), in: catalog)
        #expect(
            try listing.rows(in: catalog).result.rows == entries.map { [.integer(Int64($0.record.firedCount))] })
    }

    @Test func replacingOneLeavesTheOther() throws {
        let before = (try rows(of: sample.key), try rows(of: key))
        #expect(before.1.allSatisfy { !$0.isEmpty })
        expectCatalogError(.exists, containing: "corpus 2") {
            try sample.writeIndex(entries, indexing)
        }

        let newer = sample.entries(of: other, seed: 77)
        try sample.writeIndex(newer, indexing, replacing: true)
        #expect(try rows(of: sample.key) == before.0)
        #expect(try catalog.features(key) == newer.map(\.record))
        // What rested on the old index is gone with it.
        #expect(try catalog.explanations(dictionaryID: sample.dictionaryID).map(\.corpusID) == [1, 1])
        #expect(try catalog.scores(dictionaryID: sample.dictionaryID).map(\.corpusID) == [1, 1])
        #expect(try catalog.searchExplanations("\"corpus 2\"").isEmpty)
        #expect(try catalog.searchExplanations("\"corpus 1\"").count == 2)
        try sample.writeIndex(entries, indexing, replacing: true)
        #expect(try rows(of: key).dropLast(2).dropFirst(2) == before.1.dropLast(2).dropFirst(2))
        #expect(try catalog.verify().isEmpty)
    }

    @Test("A failed index leaves both indexes unchanged") func anIndexThatFailsLeavesBoth() throws {
        struct Stop: Error {}
        let before = (try rows(of: sample.key), try rows(of: key))
        #expect(throws: Stop.self) {
            try catalog.writeIndex(indexing, replacing: true) { writer in
                try writer.write(entries[0])
                throw Stop()
            }
        }
        #expect(try rows(of: sample.key) == before.0 && rows(of: key) == before.1)
    }

    @Test("Deleting a dictionary deletes all its indexes") func theDictionaryTakesAllOfItsIndexesAlong() throws {
        try catalog.removeDictionary(sample.dictionaryID)
        for table in Self.tables + ["dictionary", "dictionary_tensor", "tensor_chunk", "layer_routing", "context"] {
            #expect(try catalog.rows(sql: "SELECT count(*) FROM \(table)").rows == [[0]], "\(table)")
        }
        // Text stays: it belongs to the corpora.
        #expect(try catalog.rows(sql: "SELECT count(*) FROM passage").rows == [[100]])
        #expect(try catalog.verify().isEmpty)
    }

    @Test("An indexed corpus cannot be deleted") func aCorpusThatIsIndexedIsNotRemoved() throws {
        try catalog.close()
        let queue = try DatabaseQueue(path: catalog.path)
        #expect(throws: DatabaseError.self) {
            try queue.write { try $0.execute(sql: "DELETE FROM corpus WHERE corpus_id = 2") }
        }
        try queue.write {
            try $0.execute(sql: "DELETE FROM indexing WHERE corpus_id = 2; DELETE FROM corpus WHERE corpus_id = 2")
        }
        try queue.close()
        let opened = try Catalog.open(at: catalog.path, mode: .readOnly)
        #expect(try opened.features(sample.key) == sample.features)
        #expect(try opened.rows(sql: "SELECT count(*) FROM passage").rows == [[50]])
        // What is left holds together; that another hand took the rest away shows.
        let problems = try opened.verify()
        #expect(!problems.isEmpty && problems.allSatisfy { $0.reason.contains("written") }, "\(problems)")
    }
}
