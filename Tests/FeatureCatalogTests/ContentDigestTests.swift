import FeatureCatalog
import GRDB
import TestSupport
import Testing
import Vocabulary

@Suite struct ContentDigestTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func equalContentsEqualDigests() throws {
        let first = try SampleCatalog(at: directory.file("a.catalog")).catalog
        let second = try SampleCatalog(at: directory.file("b.catalog")).catalog
        let digest = try first.contentDigest()
        #expect(digest.count == 64)
        #expect(try second.contentDigest() == digest)
        #expect(try first.identity().uuid != second.identity().uuid)
        // A run that did not complete, and timings, make no difference.
        let runID = try second.beginRun(kind: .score, config: "{}", seed: 1)
        try second.finishRun(runID, status: .failed, error: "x")
        try second.recordMetrics(runID: 1, [RunMetric(step: 9, name: "tokens_per_second", value: 3)])
        #expect(try second.contentDigest() == digest)
        try second.close()
        #expect(try Catalog.open(at: directory.file("b.catalog"), mode: .readOnly).contentDigest() == digest)
    }

    @Test("Row ids do not change the digest") func numbersOfRowsMakeNoDifference() throws {
        let digest = try SampleCatalog(at: directory.file("a.catalog")).catalog.contentDigest()
        let sample = try SampleCatalog(at: directory.file("b.catalog"))
        try sample.writeIndex(replacing: true)
        #expect(try sample.catalog.contentDigest() == digest)
    }

    @Test(
        "Every difference changes the digest",
        arguments: [
            "UPDATE run SET seed = 9 WHERE run_id = 1", "UPDATE run SET config = '[]' WHERE run_id = 1",
            "UPDATE run_input SET bytes = 13", "UPDATE run_metric SET value = 0.125 WHERE step = 0",
            "UPDATE language_model SET config = '[]'", "UPDATE token SET text = 'x' WHERE token_id = 1",
            "UPDATE token SET bytes = NULL", "UPDATE corpus SET source = NULL", "UPDATE document SET title = 'x'",
            "DELETE FROM feature_context", "UPDATE feature_context SET other_activations = NULL",
            "DELETE FROM feature_cofiring",
            "UPDATE dictionary SET k = 5", "UPDATE dictionary SET config = '[]'",
            "UPDATE dictionary_tensor SET sha256 = printf('%064d', 0) WHERE name = 'decoder'",
            "UPDATE indexing SET n_documents = 9", "UPDATE indexing SET window = 17", "UPDATE indexing SET n_alive = 1",
            "UPDATE indexing SET n_contexts = 1", "UPDATE indexing SET mean_active_per_token = 1",
            "UPDATE indexing SET mean_layer_entropy = 1", "UPDATE indexing SET histogram_edges = '[]'",
            "UPDATE feature SET min_activation = 0.5 WHERE feature_index = 3",
            "UPDATE feature SET sum_activation = 0.5 WHERE feature_index = 3",
            "UPDATE feature SET sum_square = 0.5 WHERE feature_index = 3",
            "UPDATE feature SET counted_from = 0.5 WHERE feature_index = 3",
            "UPDATE feature SET counted_below = 0.5 WHERE feature_index = 3",
            "UPDATE feature_layer SET sum_router_weight = 1", "UPDATE feature_cofiring SET lift = 9",
            "UPDATE feature SET p50 = 7 WHERE feature_index = 3",
            "UPDATE feature SET histogram = '[]' WHERE feature_index = 3", "DELETE FROM feature_layer WHERE layer = 3",
            "UPDATE layer_routing SET n_tokens = n_tokens + 1",
            "UPDATE feature_token SET token_class = token_class || 'x'",
            "UPDATE passage SET text = text || 'x' WHERE passage_id = 5",
            "UPDATE passage SET token_starts = '0' || token_starts WHERE passage_id = 5",
            "UPDATE passage SET segment = 77 WHERE passage_id = 5", "DELETE FROM passage WHERE passage_id = 51",
            "UPDATE feature_context SET router_weight = 0.125",
            "UPDATE feature_context SET split = 0 WHERE split IS NULL",
            "UPDATE feature_context SET passage_id = 51 WHERE feature_index = 4 AND band = 0 AND rank = 0",
            """
            UPDATE feature_context SET other_activations = '{"1":0.5}' WHERE feature_index = 5 AND rank = 0
            """,
            "INSERT INTO feature_logit VALUES (1, 2, 'promoted', 0, 3, 1.0)",
            "INSERT INTO feature_logit_histogram VALUES (1, 2, 1.0, 3, '[4]')",
            "UPDATE feature_linear_histogram SET counts = '[1]' WHERE feature_index = 3",
            "UPDATE feature_linear_histogram SET bin_width = 2 * bin_width WHERE feature_index = 3",
            "UPDATE feature_linear_histogram SET first_bin = first_bin + 1 WHERE feature_index = 3",
            "INSERT INTO feature_neighbor VALUES (1, 2, 0, 3, 1.0)",
            "INSERT INTO explanation VALUES (1, 1, 2, 1, 'n2g', 'text', 1, NULL)",
            "INSERT INTO score VALUES (1, 1, 2, 1, NULL, 'rubric', 'ok', 4.0, NULL, NULL, NULL, 0, 0, 1, NULL, NULL)",
            "INSERT INTO evaluation VALUES (1, 1, 1, NULL, 'kl', NULL, 0.5, NULL, NULL, 5)",
            "INSERT INTO intervention VALUES (1, 1, 1, 2, 'set', 8.0, 'a', 'b', NULL, NULL)",
            "INSERT INTO review VALUES (1, 1, 2, NULL, 4, NULL, NULL, NULL, 'now')",
        ])
    func anyDifferenceShows(sql: String) throws {
        let path = directory.file("a.catalog")
        let sample = try SampleCatalog(at: path)
        // A passage without contexts, the 51st.
        _ = try sample.catalog.addPassages([
            PassageRecord(
                documentID: sample.documentIDs[0], segment: 50, firstToken: 10,
                text: PassageText(tokenBytes: (0..<SampleCatalog.passageLength).map { [UInt8($0 + 97)] }))
        ])
        let digest = try sample.catalog.contentDigest()
        try sample.catalog.close()
        let queue = try DatabaseQueue(path: path)
        try queue.write { database in
            try database.execute(sql: sql)
            #expect(database.totalChangesCount > 0)
        }
        try queue.close()
        #expect(try Catalog.open(at: path, mode: .readOnly).contentDigest() != digest)
    }

    @Test func theCorpusOfAResultShows() throws {
        var digests: Set<String> = []
        for choice in 0..<2 {
            let sample = try SampleCatalog(at: directory.file("\(choice).catalog"))
            let other = try sample.addCorpus(named: "other")
            try sample.writeIndex(sample.entries(of: other), sample.indexing(of: other.corpusID))
            let corpusID = [sample.corpusID, other.corpusID][choice]
            let keys = try sample.catalog.write(explanations: [
                ExplanationRecord(
                    runID: sample.trainRunID, dictionaryID: sample.dictionaryID, featureIndex: 3, corpusID: corpusID,
                    method: "n2g", text: "kings")
            ])
            #expect(keys.count == 1)
            digests.insert(try sample.catalog.contentDigest())
            try sample.catalog.write(explanations: [
                ExplanationRecord(
                    runID: sample.trainRunID, dictionaryID: sample.dictionaryID, featureIndex: 3,
                    corpusID: sample.corpusID, method: "x", text: "queens")
            ])
            try sample.catalog.write(scores: [
                ScoreRecord(
                    runID: sample.trainRunID, dictionaryID: sample.dictionaryID, featureIndex: 4, corpusID: corpusID,
                    explanationID: nil, method: .rubric, status: .ok, value: 4, contextCount: 0, tokenCount: 0)
            ])
            try sample.catalog.close()
            let queue = try DatabaseQueue(path: sample.catalog.path)
            // What is left to tell the two apart is the score, and then an evaluation.
            for sql in [
                "DELETE FROM explanation WHERE method = 'n2g'",
                """
                DELETE FROM score;
                INSERT INTO evaluation (run_id, dictionary_id, metric, value, n_tokens, corpus_id)
                VALUES (1, 1, 'kl', 0.5, 5, \(corpusID))
                """,
            ] {
                try queue.write { try $0.execute(sql: sql) }
                digests.insert(try Catalog.open(at: sample.catalog.path, mode: .readOnly).contentDigest())
            }
            try queue.close()
        }
        #expect(digests.count == 6)
    }

    @Test func anIndexHasDigestsOfItsOwn() throws {
        let sample = try SampleCatalog(at: directory.file("a.catalog"))
        let whole = try sample.catalog.contentDigests(of: sample.key)
        #expect(
            whole.map(\.table) == [
                "indexing", "feature", "feature_layer", "feature_token", "feature_linear_histogram", "feature_cofiring",
                "feature_context",
            ])
        #expect(Set(whole.map(\.sha256)).count == whole.count)
        // The same index in another catalog, beside another one: written later, with other numbers of rows.
        let second = try SampleCatalog(at: directory.file("b.catalog"))
        let other = try second.addCorpus(named: "other")
        try second.writeIndex(second.entries(of: other, seed: 9), second.indexing(of: other.corpusID))
        try second.writeIndex(replacing: true)
        #expect(try second.catalog.contentDigests(of: second.key).map(\.sha256) == whole.map(\.sha256))
        // Of another corpus, everything differs, and so it does where only one table has been touched.
        let otherKey = IndexingKey(dictionaryID: second.dictionaryID, corpusID: other.corpusID)
        let others = try second.catalog.contentDigests(of: otherKey)
        #expect(zip(others, whole).allSatisfy { $0.sha256 != $1.sha256 })
        try second.catalog.close()
        let queue = try DatabaseQueue(path: second.catalog.path)
        try queue.write { try $0.execute(sql: "UPDATE feature_layer SET sum_activation = 9 WHERE corpus_id = 1") }
        try queue.close()
        let changed = try Catalog.open(at: second.catalog.path, mode: .readOnly)
        #expect(
            zip(try changed.contentDigests(of: second.key), whole).map { $0.sha256 == $1.sha256 }
                == whole.map { $0.table != "feature_layer" })
        #expect(try changed.contentDigests(of: otherKey).map(\.sha256) == others.map(\.sha256))
    }

    @Test func anotherSeedShows() throws {
        let first = try SampleCatalog(at: directory.file("a.catalog"), seed: 1).catalog
        let second = try SampleCatalog(at: directory.file("b.catalog"), seed: 2).catalog
        #expect(try first.contentDigest() != second.contentDigest())
    }
}
