import CatalogMigrations
import FeatureCatalog
import Foundation
import GRDB
import TestSupport
import Testing
import Vocabulary

/// Hostile catalogs: they are refused or read safely, and never written to.
///
/// The attacker is a plain connection to the file, which ignores CHECKs, foreign keys and STRICT tables.
@Suite struct HostileCatalogTests {
    let directory: MemoryDirectory
    let path: String

    init() throws {
        directory = try MemoryDirectory()
        path = try TinyCatalog.make(at: directory.file("a.catalog"))
    }

    // MARK: Schemas

    @Test(arguments: [
        // Things of the attacker's own that would run when ours are read or written.
        ("CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM review; END", "unexpected trigger"),
        ("CREATE TRIGGER t AFTER UPDATE ON run BEGIN SELECT load_extension('x'); END", "unexpected trigger"),
        ("CREATE TRIGGER t INSTEAD OF INSERT ON context BEGIN DELETE FROM review; END", "unexpected trigger"),
        ("CREATE TRIGGER t AFTER INSERT ON passage_text_config BEGIN DELETE FROM review; END", "unexpected trigger"),
        ("CREATE INDEX i ON run (abs(run_id))", "unexpected index"),
        ("CREATE INDEX i ON run (kind) WHERE length(zeroblob(1000000000)) > 0", "unexpected index"),
        ("CREATE UNIQUE INDEX i ON layer_routing (layer)", "unexpected index"),
        ("CREATE TABLE json_each (x)", "unexpected table"),
        ("CREATE VIEW pragma_table_xinfo AS SELECT 'x' AS name, 0 AS hidden", "unexpected view"),
        ("CREATE TABLE Passage_Text_Content (x)", "unexpected table"),
        ("DROP TABLE review; CREATE TABLE REVIEW (x)", "unexpected table"),
        // Things of ours, changed.
        ("DROP VIEW feature_summary; CREATE VIEW feature_summary AS SELECT load_extension('x') AS name", "differs"),
        ("DROP TRIGGER passage_text_insert", "missing"),
        ("DROP INDEX feature_by_firing_rate; CREATE INDEX feature_by_firing_rate ON feature (n_fired)", "differs"),
        ("DROP TABLE review; CREATE VIEW review AS SELECT 1 AS review_id", "unexpected view"),
        ("ALTER TABLE run ADD COLUMN poison TEXT AS (printf('%.*c', 100000000, 'x'))", "\"run\" differs"),
    ])
    func changedSchemasAreRefused(sql: String, reason: String) throws {
        try attack { try $0.execute(sql: sql) }
        try expectRefusal(containing: reason)
    }

    @Test(arguments: [
        // A column that is worked out whenever it is read: by a function that may not be called, or for ever.
        ("run", "error TEXT", "error TEXT, poison AS (load_extension('x'))"),
        ("run", "error TEXT", "error TEXT AS (printf('%.*c', 1000000000, 'x'))"),
        ("score", "detail BLOB", "detail BLOB AS (zeroblob(1000000000))"),
        ("feature_layer", "mean_router_weight REAL", "mean_router_weight REAL AS (randomblob(n_fired))"),
        // A default that runs, a reference that goes round in circles, a check that is not ours.
        ("corpus", "source TEXT", "source TEXT DEFAULT (hex(randomblob(9)))"),
        ("run", "run_id INTEGER PRIMARY KEY", "run_id INTEGER PRIMARY KEY REFERENCES run ON DELETE CASCADE"),
        (
            "dictionary", "run_id INTEGER NOT NULL REFERENCES run (run_id)",
            "run_id INTEGER NOT NULL REFERENCES dictionary_tensor ON UPDATE CASCADE"
        ),
        ("review", "note TEXT", "note TEXT CHECK (length(zeroblob(1000000000)) > 0)"),
        ("indexing", ") STRICT, WITHOUT ROWID", ") WITHOUT ROWID"),
        ("tensor_chunk", "BLOB NOT NULL", "TEXT NOT NULL"),
    ])
    func rewrittenStatementsAreRefused(table: String, old: String, new: String) throws {
        try rewriteSchema(table, old, new)
        try expectRefusal()
    }

    @Test(
        "Tables of the full-text index must be its own",
        arguments: [
            ("passage_text_config", "v", "v, x AS (zeroblob(1000000000))"),
            ("passage_text_docsize", "sz BLOB", "sz BLOB CHECK (length(zeroblob(1000000000)) > 0)"),
            ("explanation_text_data", "block BLOB", "block BLOB DEFAULT (randomblob(1000000))"),
            ("explanation_text_idx", "CREATE TABLE", "CREATE VIRTUAL TABLE"),
        ])
    func tablesOfTheTextIndexMustBeItsOwn(table: String, old: String, new: String) throws {
        try rewriteSchema(table, old, new)
        try expectRefusal()
    }

    @Test("sqlite_stat1 must be a table of statistics") func statisticsMustBeATableOfStatistics() throws {
        try attack { try $0.execute(sql: "ANALYZE") }
        _ = try Catalog.open(at: path, mode: .readOnly)
        try rewriteSchema("sqlite_stat1", "stat", "stat, x AS (zeroblob(1000000000))")
        try expectRefusal()
    }

    @Test("Absurd statistics do no harm") func absurdStatisticsDoNoHarm() throws {
        try attack {
            try $0.execute(sql: "ANALYZE; UPDATE sqlite_stat1 SET stat = '0 0 -1 9223372036854775807 x unordered'")
        }
        #expect(try read().problems == [])
    }

    @Test(
        "A false schema version is refused",
        arguments: [
            (-1, CatalogError.Code.notACatalog), (0, .notACatalog), (1, .tooOld), (2, .tooOld),
            (Migrations.latest - 1, .tooOld), (Migrations.latest + 1, .tooNew), (Int(Int32.max), .tooNew),
            (Int(Int32.min), .notACatalog),
        ])
    func aSchemaThatLiesAboutItsVersion(version: Int, code: CatalogError.Code) throws {
        try attack { try $0.execute(sql: "PRAGMA user_version = \(version)") }
        try expectRefusal(code)
        // Told to migrate it, the program sees that it is not what it says.
        expectCatalogError(code == .tooOld ? .refused : code) { try Catalog.migrate(at: path) }
    }

    @Test("Tables that share pages are reported") func tablesThatShareTheirPages() throws {
        try attack { database in
            try database.execute(
                sql: """
                    PRAGMA writable_schema = ON;
                    UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'feature')
                    WHERE name IN ('feature_token', 'feature_layer', 'tensor_chunk', 'corpus');
                    """)
        }
        #expect(try read().noticed)
    }

    @Test("Tables on missing pages are reported", arguments: [0, -1, 1, 999_999, Int(Int32.max)])
    func pagesThatAreNotThere(root: Int) throws {
        try attack {
            try $0.execute(
                sql: """
                    PRAGMA writable_schema = ON;
                    UPDATE sqlite_schema SET rootpage = \(root) WHERE name IN ('feature', 'document', 'run');
                    """)
        }
        #expect(try read(mayFailToOpen: true).map(\.noticed) ?? true)
    }

    @Test("UTF-16 catalogs are read as well") func textInAnotherEncodingIsReadAllTheSame() throws {
        let tables = try rewriteInUTF16()
        #expect(tables > 20)
        let result = try read()
        // But for the full-text indexes, which were made by another hand.
        #expect(result.problems?.allSatisfy { $0.place.contains("_text_") } == true, "\(result.problems ?? [])")
        #expect(result.errors.allSatisfy { $0.error.code == .notFound }, "\(result.errors)")
    }

    /// Rewrites the file in UTF-16, with the same schema and rows.
    func rewriteInUTF16() throws -> Int {
        let old = directory.file("old")
        try FileManager.default.moveItem(atPath: path, toPath: old)
        let source = try DatabaseQueue(path: old)
        let target = try DatabaseQueue(path: path)
        return try source.read { from in
            try target.writeWithoutTransaction { to in
                try to.execute(sql: "PRAGMA encoding = 'UTF-16le'; PRAGMA page_size = 8192; PRAGMA foreign_keys = OFF")
                to.add(function: DatabaseFunction("other_activations", argumentCount: 6) { _ in nil })
                for migration in Migrations.all { try to.execute(sql: migration.sql) }
                let tables = try String.fetchAll(
                    from,
                    sql:
                        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'"
                )
                for table in tables {
                    let columns = try String.fetchAll(
                        from, sql: "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", arguments: [table])
                    let names = columns.map { "\"\($0)\"" }.joined(separator: ", ")
                    let places = columns.map { _ in "?" }.joined(separator: ", ")
                    for row in try Row.fetchAll(from, sql: "SELECT \(names) FROM \"\(table)\"") {
                        try to.execute(
                            sql: "INSERT OR IGNORE INTO \"\(table)\" (\(names)) VALUES (\(places))",
                            arguments: StatementArguments(row.databaseValues))
                    }
                }
                try to.execute(
                    sql: "PRAGMA application_id = \(0x5253_4145); PRAGMA user_version = \(Migrations.latest)")
                return tables.count
            }
        }
    }

    // MARK: Files beside the file

    @Test("Garbage beside the file changes nothing in the catalog", arguments: ["-wal", "-journal", "-shm"])
    func rubbishBesideTheFile(suffix: String) throws {
        for content in [[], [UInt8](repeating: 0xD9, count: 5000), Self.journalHeader] {
            try Data(content).write(to: URL(filePath: path + suffix))
            let before = try Data(contentsOf: URL(filePath: path))
            do {
                let catalog = try Catalog.open(at: path, mode: .readOnly)
                #expect(try catalog.verify() == [])
            } catch {
                #expect([.cannotWrite, .damaged, .refused].contains(error.code), "\(error.code) \(error.message)")
            }
            #expect(try Data(contentsOf: URL(filePath: path)) == before)
        }
    }

    /// A journal that would cut the file to one page.
    static let journalHeader: [UInt8] =
        [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7] + [0, 0, 0, 0] + [1, 2, 3, 4] + [0, 0, 0, 1] + [0, 0, 2, 0]
        + [0, 0, 0x20, 0] + [UInt8](repeating: 0, count: 484)

    // MARK: The attacker

    /// Changes the file, ignoring every rule.
    func attack(_ body: (Database) throws -> Void) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { database in
            try database.execute(
                sql: "PRAGMA ignore_check_constraints = ON; PRAGMA recursive_triggers = OFF; PRAGMA synchronous = OFF")
            try body(database)
        }
        try queue.close()
    }

    /// Drops the trigger that looks for contexts that share text.
    ///
    /// - Returns: Its statement, to put it back word for word.
    func dropInsertTrigger(_ database: Database) throws -> String {
        let name = "feature_context_insert"
        let sql = try String.fetchOne(database, sql: "SELECT sql FROM sqlite_schema WHERE name = ?", arguments: [name])
        try database.execute(sql: "DROP TRIGGER \(name)")
        return try #require(sql)
    }

    func rewriteSchema(_ table: String, _ old: String, _ new: String) throws {
        try attack { database in
            try database.execute(sql: "PRAGMA writable_schema = ON")
            try database.execute(
                sql: "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = ?", arguments: [old, new, table])
            let sql = try String.fetchOne(
                database, sql: "SELECT sql FROM sqlite_schema WHERE name = ?", arguments: [table])
            #expect(sql?.contains(new) == true)
        }
    }

    func expectRefusal(_ code: CatalogError.Code = .refused, containing reason: String = "") throws {
        let before = try Data(contentsOf: URL(filePath: path))
        for mode in [Catalog.Mode.readOnly, .readWrite] {
            do {
                _ = try Catalog.open(at: path, mode: mode)
                Issue.record("opened")
            } catch {
                // What SQLite itself cannot make sense of is damage.
                #expect(
                    error.code == code || code == .refused && error.code == .damaged, "\(error.code) \(error.message)")
                #expect(error.code != .refused || reason.isEmpty || error.message.contains(reason), "\(error.message)")
            }
        }
        #expect(try Data(contentsOf: URL(filePath: path)) == before)
        #expect(try directory.files.filter { $0.hasPrefix("a.catalog") } == ["a.catalog"])
    }

    /// Reads everything, within bounds of time and memory, and checks that nothing was written.
    func read() throws -> EveryReading {
        try #require(try read(mayFailToOpen: false))
    }

    func read(mayFailToOpen: Bool) throws -> EveryReading? {
        let before = try Data(contentsOf: URL(filePath: path))
        let memory = try ProcessMemory.peak()
        let start = ProcessorTime.ofThisThread
        var result: EveryReading?
        do {
            let catalog = try Catalog.open(at: path, mode: .readOnly)
            result = EveryReading(catalog)
            try catalog.close()
        } catch {
            #expect(
                mayFailToOpen && [.refused, .damaged, .notACatalog].contains(error.code),
                "\(error.code) \(error.message)")
        }
        #expect(ProcessorTime.ofThisThread - start < .seconds(30))
        // Other tests run beside this one; a bomb would take a gigabyte.
        #expect(try ProcessMemory.peak() - memory < 700 << 20)
        #expect(try Data(contentsOf: URL(filePath: path)) == before)
        #expect(try directory.files.filter { $0.hasPrefix("a.catalog") } == ["a.catalog"])
        return result
    }
}
