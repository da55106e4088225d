import FeatureCatalog
import Foundation
import TestSupport
import Testing

@Suite struct ReadOnlySQLTests {
    private let directory: TemporaryDirectory
    private let catalog: Catalog

    init() throws {
        directory = try TemporaryDirectory()
        catalog = try SampleCatalog(at: directory.file("a.catalog")).catalog
    }

    @Test func valuesOfAllKinds() throws {
        let result = try catalog.runReadOnly(
            sql: "SELECT 1 AS one, 1.5 AS half, 'ä' || char(0) || 'b' AS t, x'00ff' AS b, NULL AS n, x'' AS e; -- end")
        #expect(result.columns == ["one", "half", "t", "b", "n", "e"])
        #expect(result.rows == [[1, 1.5, "ä\0b", .blob([0, 255]), nil, .blob([])]])
        #expect(!result.isTruncated)
    }

    @Test("Ordinary queries are allowed") func whatPeopleAskIsAllowed() throws {
        for sql in [
            "SELECT * FROM feature_summary WHERE peak_layer = 4 AND firing_rate < 0.01",
            "SELECT * FROM layer_profile", "SELECT * FROM dictionary_summary",
            "SELECT * FROM context",
            "SELECT snippet(passage_text, 0, '[', ']', '…', 5) FROM passage_text WHERE passage_text MATCH 't5'",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i) FROM n",
            "PRAGMA table_info(feature)", "SELECT name FROM pragma_table_list", "PRAGMA user_version",
            "EXPLAIN QUERY PLAN SELECT * FROM feature_summary", "SELECT json_group_array(layer) FROM feature_layer",
            "SELECT sql FROM sqlite_schema", "VALUES (1), (2)",
        ] {
            #expect(try !catalog.runReadOnly(sql: sql).columns.isEmpty, "\(sql)")
        }
    }

    @Test(
        "Statements that change anything are refused",
        arguments: [
            "INSERT INTO review VALUES (1)", "INSERT INTO catalog VALUES (2, 'a', 'b', 'c')",
            "UPDATE feature SET n_fired = 0", "INSERT INTO feature_verdict VALUES (1, 1, 1)", "DELETE FROM run",
            "DROP TABLE run", "CREATE TABLE t (x)",
            "CREATE TEMP TABLE t (x)", "CREATE TEMP VIEW v AS SELECT 1", "ALTER TABLE run RENAME TO walk",
            "ATTACH ':memory:' AS other", "DETACH main", "VACUUM", "VACUUM INTO '/tmp/x'", "REINDEX", "ANALYZE",
            "BEGIN", "SAVEPOINT s", "PRAGMA writable_schema = ON", "PRAGMA journal_mode = DELETE",
            "PRAGMA trusted_schema = ON", "PRAGMA query_only = OFF", "PRAGMA user_version = 9", "PRAGMA mmap_size = 99",
            "PRAGMA temp_store_directory = '/tmp'", "PRAGMA cell_size_check = OFF", "SELECT load_extension('x')",
            "SELECT 1; DELETE FROM run", "SELECT 1; SELECT 2",
            "INSERT INTO passage_text (passage_text) VALUES ('rebuild')", "SELECT fts3_tokenizer('simple')",
            "CREATE VIRTUAL TABLE t USING fts5(x)", "UPDATE passage_text_data SET block = x''",
            "WITH x AS (SELECT 1) DELETE FROM run", "UPDATE sqlite_schema SET sql = ''", "DELETE FROM sqlite_master",
            "INSERT INTO sqlite_schema VALUES (1, 2, 3, 4, 5)",
        ])
    func whatWouldChangeAnythingIsRefused(sql: String) throws {
        expectCatalogError(.refused) { _ = try catalog.runReadOnly(sql: sql) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).allSatisfy { $0.hasPrefix("a.") })
    }

    @Test(arguments: [
        "SELECT * FROM pragma_journal_mode('DELETE')", "SELEC 1", "SELECT * FROM nothing",
        "SELECT nothing FROM feature", "", "  ; ", "-- x", "SELECT 'a\0b'",
    ])
    func nonsenseIsInvalid(sql: String) {
        expectCatalogError(.invalidSQL) { _ = try catalog.runReadOnly(sql: sql) }
    }

    @Test(
        "Endless statements are stopped",
        arguments: [
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
            "SELECT count(*) FROM feature a, feature b, feature c, feature d, feature e, feature f",
            "SELECT count(*) FROM passage_text a, feature b, feature c, feature d, feature e, feature f",
        ])
    func endlessStatementsAreStopped(sql: String) {
        let start = ProcessorTime.ofThisThread
        expectCatalogError(.timedOut, containing: "0.3") { _ = try catalog.runReadOnly(sql: sql, timeLimit: 0.3) }
        #expect(ProcessorTime.ofThisThread - start < .seconds(5))
    }

    @Test func hugeValuesAreRefused() {
        for sql in ["SELECT zeroblob(1000000000)", "SELECT printf('%1000000000d', 1)", "SELECT randomblob(100000000)"] {
            do {
                let result = try catalog.runReadOnly(sql: sql)
                // printf() answers NULL where its result would be too long.
                #expect(result.rows == [[nil]], "\(sql)")
            } catch {
                #expect(error.code == .invalidValue)
            }
        }
    }

    @Test func rowsBeyondTheLimitAreLeftOut() throws {
        let sql = "SELECT feature_index FROM feature"
        let all = try catalog.runReadOnly(sql: sql, rowLimit: SampleCatalog.latentCount)
        #expect(all.rows.count == SampleCatalog.latentCount && !all.isTruncated)
        let some = try catalog.runReadOnly(sql: sql, rowLimit: 7)
        #expect(some.rows.count == 7 && some.isTruncated)
    }

    @Test("A query sees rows that are still in the write-ahead log") func itSeesWhatIsNotYetInTheFileItself() throws {
        _ = try catalog.beginRun(kind: .score, config: "{}", seed: nil)
        #expect(try catalog.runReadOnly(sql: "SELECT count(*) FROM run").rows == [[3]])
    }
}
