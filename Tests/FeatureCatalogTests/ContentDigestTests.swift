import FeatureCatalog
import GRDB
import TestSupport
import Testing

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

    @Test func numbersOfRowsMakeNoDifference() throws {
        let digest = try SampleCatalog(at: directory.file("a.catalog")).catalog.contentDigest()
        let sample = try SampleCatalog(at: directory.file("b.catalog"))
        try sample.writeIndex(replacing: true)
        #expect(try sample.catalog.contentDigest() == digest)
    }

    @Test(arguments: [
        "UPDATE run SET seed = 9 WHERE run_id = 1", "UPDATE run SET config = '[]' WHERE run_id = 1",
        "UPDATE run_input SET bytes = 13", "UPDATE run_metric SET value = 0.125 WHERE step = 0",
        "UPDATE language_model SET config = '[]'", "UPDATE token SET text = 'x' WHERE token_id = 1",
        "UPDATE token SET bytes = NULL", "UPDATE corpus SET source = NULL", "UPDATE document SET title = 'x'",
        "DELETE FROM context", "UPDATE dictionary SET k = 5", "UPDATE dictionary SET config = '[]'",
        "UPDATE dictionary_tensor SET sha256 = printf('%064d', 0) WHERE name = 'decoder'",
        "UPDATE indexing SET n_documents = 9", "UPDATE feature SET p50 = 7 WHERE feature_index = 3",
        "UPDATE feature SET histogram = '[]' WHERE feature_index = 3", "DELETE FROM feature_layer WHERE layer = 3",
        "UPDATE layer_routing SET n_tokens = n_tokens + 1", "UPDATE feature_token SET token_class = token_class || 'x'",
        "UPDATE context SET excerpt = 'x' WHERE context_id = 5", "UPDATE context SET router_weight = 0.125",
        "UPDATE context SET activations = (SELECT activations FROM context WHERE context_id = 9) WHERE context_id = 5",
        "INSERT INTO feature_logit VALUES (1, 2, 'promoted', 0, 3, 1.0)",
        "INSERT INTO feature_neighbor VALUES (1, 2, 0, 3, 1.0)",
        "INSERT INTO explanation VALUES (1, 1, 1, 2, 'n2g', 'text', NULL)",
        "INSERT INTO score VALUES (1, 1, 1, 2, NULL, 'rubric', 'ok', 4.0, NULL, NULL, 0, 0, NULL, NULL)",
        "INSERT INTO evaluation VALUES (1, 1, 1, 'kl', NULL, 0.5, NULL, NULL, 5)",
        "INSERT INTO intervention VALUES (1, 1, 1, 2, 'set', 8.0, 'a', 'b', NULL, NULL)",
        "INSERT INTO review VALUES (1, 1, 2, NULL, 'agree', NULL, NULL, 'now')",
    ])
    func anyDifferenceShows(sql: String) throws {
        let path = directory.file("a.catalog")
        let catalog = try SampleCatalog(at: path).catalog
        let digest = try catalog.contentDigest()
        try catalog.close()
        let queue = try DatabaseQueue(path: path)
        try queue.write { database in
            try database.execute(sql: sql)
            #expect(database.totalChangesCount > 0)
        }
        try queue.close()
        #expect(try Catalog.open(at: path, mode: .readOnly).contentDigest() != digest)
    }

    @Test func anotherSeedShows() throws {
        let first = try SampleCatalog(at: directory.file("a.catalog"), seed: 1).catalog
        let second = try SampleCatalog(at: directory.file("b.catalog"), seed: 2).catalog
        #expect(try first.contentDigest() != second.contentDigest())
    }
}
