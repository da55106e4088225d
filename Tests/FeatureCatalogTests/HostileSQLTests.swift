import FeatureCatalog
import Foundation
import GRDB
import Glibc
import TestSupport
import Testing

/// Statements that try to write, to load, to exhaust memory, or to run for ever within one step of SQLite, where
/// it cannot be interrupted.
@Suite struct HostileSQLTests {
    private let directory: MemoryDirectory
    private let catalog: Catalog

    init() throws {
        directory = try MemoryDirectory()
        catalog = try Catalog.open(at: TinyCatalog.make(at: directory.file("a.catalog")), mode: .readOnly)
    }

    /// Texts as long as they may be; `{n}` below.
    private static let length = 4_000_000

    @Test(
        "No statement runs without end",
        arguments: [
            // Comparing every place of one text with all of another.
            "SELECT instr(printf('%.*c', {n}, 'a'), printf('%.*c', {n} / 2, 'a') || 'b')",
            "SELECT length(replace(printf('%.*c', {n}, 'a'), printf('%.*c', {n} / 2, 'a') || 'b', 'x'))",
            "SELECT length(replace(printf('%.*c', {n}, 'a'), 'a', printf('%.*c', {n}, 'b')))",
            "SELECT length(trim(printf('%.*c', {n}, 'a'), replace(printf('%.*c', {n} / 4, 'b'), 'b', 'bcd') || 'a'))",
            "SELECT length(ltrim(printf('%.*c', {n}, 'a'), printf('%.*c', {n} - 1, 'b') || 'a'))",
            "SELECT length(rtrim(printf('%.*c', {n}, 'a'), printf('%.*c', {n} - 1, 'b') || 'a'))",
            "SELECT printf('%.*c', {n}, 'a') LIKE '%a%a%a%a%a%a%a%a%b'",
            "SELECT printf('%.*c', {n}, 'a') LIKE '%' || printf('%.*c', 40, 'a') || 'b%'",
            "SELECT printf('%.*c', {n}, 'a') LIKE '%' || printf('%.*c', 400, 'a') || 'b%'",
            "SELECT printf('%.*c', {n}, 'a') GLOB '*a*a*a*a*a*a*a*a*b'",
            "SELECT printf('%.*c', {n}, 'a') GLOB '*[ab][ab][ab][ab][ab][ab][ab][ab][ab][ab]c'",
            // Much work of one kind.
            "SELECT length(hex(randomblob({n} / 2)))", "SELECT length(quote(randomblob({n} / 3)))",
            "SELECT json_array_length('[' || replace(hex(zeroblob({n} / 4)), '00', '1,') || '1]')",
            "SELECT json_valid(replace(hex(zeroblob({n} / 2)), '00', '['))",
            "SELECT length(json_remove('[' || replace(hex(zeroblob({n} / 4)), '00', '1,') || '1]', '$[1]', '$[#-1]', '$[3]'))",
            "SELECT 1 + printf('%.*c', {n}, '1')", "SELECT length(printf('%.*f', {n}, 1.5))",
            "SELECT length(upper(printf('%.*c', {n}, 'a')))",
            "SELECT length(printf('%.*c', 2000000000, 'x'))", "SELECT length(format('%.2000000000c', 'x'))",
            "SELECT length(printf('%*.*c', 9, 2000000000, 'x'))", "SELECT length(printf('%.*c', -2000000000, 'x'))",
            "SELECT length(printf(replace(hex(zeroblob(40000)), '00', '%.3999999c')))",
            "SELECT length(printf('%s%-+ 07.*c', 'a', 2000000000, 'x'))", "SELECT length(printf('%.4294967290c', 'x'))",
            "SELECT length(printf('%!#,l.2000000000c', 'x'))",
            "SELECT length(printf('%,d', 1)) + length(printf('%2147483647d', 1))",
            "SELECT zeroblob(9223372036854775807)",
            "SELECT char(1114112, -1, 0)",
            "SELECT group_concat(printf('%.*c', 100000, 'x')) FROM feature a, feature b, token c, token d",
            // Without end.
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n ORDER BY -i",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n) SELECT count(DISTINCT i) FROM n",
            "WITH RECURSIVE n(i, t) AS (SELECT 1, 'a' UNION ALL SELECT i + 1, t || t FROM n) SELECT length(t) FROM n",
            "WITH RECURSIVE n(i) AS (SELECT randomblob(1000000) UNION ALL SELECT randomblob(1000000) FROM n) SELECT i FROM n ORDER BY i",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT json_group_array(i) FROM n",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT group_concat(i) OVER (ORDER BY i) FROM n",
            "SELECT sum(length(zeroblob(4000000))) FROM token a, token b, token c, token d, token e, token f, token g, token h",
            "SELECT count(*) FROM passage_text, token a, token b, token c, token d, token e, token f, token g, token h, token i, token j",
            "SELECT count(*) FROM context a, context b, context c, context d, context e, context f, context g, context h, context i",
        ])
    func nothingRunsForEver(sql: String) {
        let limit = 0.5
        let sql = sql.replacing("{n}", with: "\(Self.length)")
        let start = ProcessorTime.ofThisThread
        do { _ = try catalog.runReadOnly(sql: sql, timeLimit: limit) } catch {
            #expect(
                [.timedOut, .invalidValue, .invalidSQL, .refused].contains(error.code), "\(error.code) \(error.message)"
            )
        }
        #expect(ProcessorTime.ofThisThread - start < .seconds(limit + 3))
    }

    @Test(
        "Compiling a statement is bounded too",
        arguments: [
            // Each stands for two of the one before: a billion altogether.
            ("AS (SELECT u.x FROM {b} AS u, {b} AS v)", "SELECT * FROM a30"),
            ("AS (SELECT u.x FROM /* ( */ {b} u JOIN ({b}) v)", "SELECT * FROM a30"),
            ("(x) AS MATERIALIZED (SELECT 1 FROM \"{b}\", [{b}], `{b}`)", "SELECT * FROM 'A30'"),
            ("AS NOT MATERIALIZED (SELECT 1 AS x WHERE 1 IN {b} OR 2 IN '{b}')", "SELECT 1 IN a30"),
            ("AS (SELECT x FROM {b} UNION ALL SELECT x FROM {b})", "SELECT (SELECT max(x) FROM a30)"),
        ])
    func compilingTakesNoLongerEither(table: String, select: String) {
        let levels = (1...30).map { ", a\($0) " + table.replacing("{b}", with: "a\($0 - 1)") }.joined()
        let start = ProcessorTime.ofThisThread
        expectCatalogError(.refused) {
            _ = try catalog.runReadOnly(sql: "WITH a0 AS (SELECT 1 AS x)\(levels) \(select)", timeLimit: 0.5)
        }
        #expect(ProcessorTime.ofThisThread - start < .seconds(4))
    }

    @Test(
        "Ordinary statements compile",
        arguments: [
            "WITH a AS (SELECT 1 AS x), b AS (SELECT a.x FROM a, a AS c) SELECT b.x FROM b, b AS d WHERE b.x IN (SELECT x FROM a)",
            "WITH layer AS (SELECT layer, n_fired FROM feature_layer), n AS (SELECT max(layer) FROM layer) SELECT * FROM n",
            "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT sum(i) FROM n",
            "SELECT sum(n_fired) OVER w FROM feature WINDOW w AS (PARTITION BY peak_layer)",
            "SELECT 'it''s -- from (' AS \"from\", x'00' /* from a, */ -- from\n FROM feature",
        ])
    func whatPeopleWriteIsCompiled(sql: String) throws {
        #expect(try !catalog.runReadOnly(sql: sql).rows.isEmpty)
    }

    @Test(
        "Memory is bounded",
        arguments: [
            "SELECT \((0..<180).map { _ in "randomblob(4000000)" }.joined(separator: ", "))",
            "SELECT randomblob(4000000) FROM token a, token b, token c, token d",
            "SELECT group_concat(hex(randomblob(1000000))) FROM token a, token b, token c GROUP BY random()",
            "SELECT count(*) FROM (SELECT randomblob(4000000) AS x FROM token a, token b, token c, token d ORDER BY x)",
        ])
    func memoryIsBounded(sql: String) throws {
        let before = try ProcessMemory.peak()
        do { _ = try catalog.runReadOnly(sql: sql, timeLimit: 5) } catch {
            #expect(
                [.refused, .timedOut, .invalidValue, .invalidSQL].contains(error.code), "\(error.code) \(error.message)"
            )
        }
        #expect(try ProcessMemory.peak() - before < 1 << 30)
    }

    @Test("`format()` gives SQLite's output") func formatsComeOutAsEver() throws {
        let plain = try DatabaseQueue()
        for call in [
            "printf('%d|%5d|%-5d|%05d|%,d|%+d', 1, 2, 3, 4, 1234567, 5)",
            "printf('%s|%.2s|%10s|%-10s|', 'abc', 'abc', 'a', 'b')",
            "format('%.3f %e %g %!.20g', 1.5, 2.5, 3.5, 1e-9)", "printf('%c|%.5c|%5c', 'x', 'y', 'z')",
            "printf('%q %Q %w', 'it''s', NULL, 'a\"b')", "printf('%x %X %o %p', 255, 255, 8, 16)",
            "printf('%%%n|%z', 1)",
            "printf('%*d|%-*d|%.*f|%.*c', 6, 1, 6, 2, 2, 3.14159, 4, 'ä')", "printf('%s')", "printf(NULL)",
            "printf('')",
            "printf('%lld %ld', 1, 2)", "printf('%y %d', 1, 2)", "typeof(printf(1)) || printf(1.5)",
            "printf(x'414243')",
        ] {
            let expected = try plain.read { try String.fetchOne($0, sql: "SELECT \(call)") }
            let value = try catalog.runReadOnly(sql: "SELECT \(call)").rows[0][0]
            #expect(value == expected.map { .text($0) } ?? .null, "\(call)")
        }
    }

    @Test("Rows are read one at a time") func rowsComeAsTheyAreAskedFor() throws {
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
        var columns: [String] = []
        var count = 0
        let isTruncated = try catalog.streamReadOnly(sql: endless, rowLimit: .max) {
            columns = $0
        } row: { _ in
            count += 1
            return count < 1000
        }
        #expect(columns == ["i"] && count == 1000 && isTruncated)
        // The time is that of the statement and of whoever takes its rows: 300 rows of a millisecond at most.
        count = 0
        let error = #expect(throws: CatalogError.self) {
            _ = try catalog.streamReadOnly(sql: endless, timeLimit: 0.3, rowLimit: .max) { _ in
            } row: { _ in
                usleep(1000)
                count += 1
                return true
            }
        }
        // SQLite counts memory for the whole process, in which other tests run.
        #expect(error?.code == .timedOut || error?.message.hasSuffix("takes too much memory") == true)
        #expect(count <= 301)
        let none = try catalog.runReadOnly(sql: "SELECT 1 AS a, 2 AS b WHERE 0")
        #expect(none.columns == ["a", "b"] && none.rows.isEmpty && !none.isTruncated)
    }

    @Test func aRowOfManyLargeValuesIsRefused() {
        let columns = (0..<8).map { _ in "zeroblob(4000000)" }.joined(separator: ", ")
        expectCatalogError(.refused, containing: "row") { _ = try catalog.runReadOnly(sql: "SELECT \(columns)") }
    }

    @Test(
        "Statements that write or load are refused",
        arguments: [
            // What writes without looking like it.
            "SELECT * FROM pragma_writable_schema(1)", "SELECT * FROM pragma_journal_mode('off')",
            "SELECT * FROM pragma_user_version(9)", "SELECT * FROM pragma_wal_checkpoint",
            "PRAGMA wal_checkpoint(TRUNCATE)",
            "SELECT * FROM pragma_incremental_vacuum(9)", "SELECT * FROM pragma_optimize", "PRAGMA optimize",
            "PRAGMA schema_version = 1", "PRAGMA encoding = 'UTF-16'", "PRAGMA page_size = 512",
            "PRAGMA auto_vacuum = 1",
            "PRAGMA main.application_id = 1", "PRAGMA temp_store = 2", "PRAGMA ignore_check_constraints = 1",
            "PRAGMA data_store_directory = '/tmp'", "PRAGMA hard_heap_limit = 1", "PRAGMA threads = 9",
            "PRAGMA case_sensitive_like = 1",
            "VACUUM INTO 'x'", "VACUUM main INTO '/dev/null'", "EXPLAIN VACUUM", "EXPLAIN DELETE FROM run",
            "ATTACH 'x' AS y", "ATTACH DATABASE 'file:x?mode=rwc' AS y", "DETACH DATABASE temp",
            "CREATE TEMP TRIGGER t AFTER INSERT ON run BEGIN SELECT 1; END", "CREATE TEMP TABLE t AS SELECT 1",
            "CREATE VIRTUAL TABLE temp.t USING fts5(x)", "CREATE TABLE temp.t (x)", "DROP TABLE IF EXISTS temp.t",
            "INSERT INTO feature_verdict VALUES (1, 0, 1)", "REPLACE INTO run (run_id) VALUES (1)",
            "INSERT INTO passage_text (passage_text) VALUES ('optimize')",
            "INSERT INTO passage_text (passage_text, rowid, text) VALUES ('delete', 1, 'the')",
            "INSERT INTO explanation_text (explanation_text, rank) VALUES ('rank', 'bm25(1)')",
            "UPDATE sqlite_sequence SET seq = 1", "UPDATE sqlite_master SET sql = 'x'", "DELETE FROM passage_text_data",
            "WITH x AS (SELECT 1) INSERT INTO run SELECT * FROM x", "UPDATE run SET error = 'x' RETURNING *",
            "ANALYZE main", "REINDEX run", "COMMIT", "ROLLBACK", "END", "RELEASE x", "BEGIN IMMEDIATE",
            // What loads, or reaches out of the file.
            "SELECT load_extension('libm.so.6')", "SELECT load_extension('x', 'y')", "SELECT readfile('/etc/passwd')",
            "SELECT writefile('x', 'y')", "SELECT edit('x')", "SELECT fts3_tokenizer('simple', x'00')",
            "SELECT fts5(1)", "SELECT fts5_source_id()", "SELECT sqlite_compileoption_get(1)",
            "SELECT last_insert_rowid()",
            "SELECT 'x' REGEXP 'y'", "SELECT json_patch('{}', '{}')", "SELECT rtreecheck('run')",
            "SELECT * FROM dbstat", "SELECT * FROM sqlite_dbpage", "SELECT * FROM fts5vocab",
            "SELECT * FROM generate_series(1, 9)",
            "SELECT * FROM csv('/etc/passwd')", "SELECT * FROM fsdir('/')", "SELECT * FROM zipfile('x')",
        ])
    func whatWritesOrLoadsIsRefused(sql: String) throws {
        let before = try Data(contentsOf: URL(filePath: catalog.path))
        do {
            // Some of the tables that a library can be built with only read; they show nothing but the file.
            let result = try catalog.runReadOnly(sql: sql)
            #expect(["SELECT * FROM dbstat", "SELECT fts5_source_id()"].contains(sql), "\(result.rows)")
        } catch {
            #expect([.refused, .invalidSQL].contains(error.code), "\(error.code) \(error.message)")
        }
        #expect(try Data(contentsOf: URL(filePath: catalog.path)) == before)
        #expect(try directory.files.filter { $0.hasPrefix("a.catalog") } == ["a.catalog"])
    }

    @Test(
        "Replaced functions equal SQLite's",
        arguments: [
            (
                "SELECT instr('abcab', 'ca'), instr('abc', 'x'), instr('äöü', 'ü'), instr('abc', ''), instr('', 'a')",
                [3, 0, 3, 1, 0]
            ),
            (
                "SELECT instr(x'00ff00', x'ff'), instr('aaab', 'aab'), instr(NULL, 'a'), instr(1234, 34)",
                [2, 2, nil, 3]
            ),
            (
                "SELECT replace('banana', 'ana', 'x'), replace('aaaa', 'aa', ''), replace('abc', '', 'x')",
                ["bxna", "", "abc"]
            ),
            (
                "SELECT replace('aXbX', 'X', 'yy'), replace(NULL, 'a', 'b'), replace('ä', 'ä', 'ö')",
                ["ayybyy", nil, "ö"]
            ),
            (
                "SELECT trim('xxaxx', 'x'), ltrim('xyxa', 'xy'), rtrim('axyx', 'xy'), trim('äaä', 'ä')",
                ["a", "a", "a", "a"]
            ),
            ("SELECT trim('xx', 'x'), trim('  a  '), trim('abc', ''), trim(NULL, 'x')", ["", "a", "abc", nil]),
        ] as [(String, [CatalogValue])])
    func functionsThatTookTooLongDoWhatTheyDid(sql: String, values: [CatalogValue]) throws {
        #expect(try catalog.runReadOnly(sql: sql).rows == [values])
    }
}
