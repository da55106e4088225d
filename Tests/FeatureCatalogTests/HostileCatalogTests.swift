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
    private let directory: MemoryDirectory
    private let path: String

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
    private func rewriteInUTF16() throws -> Int {
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

    // MARK: Blobs

    /// Frames that claim, or decompress to, far more than expected.
    static let bombs: [(String, [UInt8])] = [
        // A header without anything behind it: one segment, eight bytes of size.
        ("a claim of 2^62 bytes", [0x28, 0xB5, 0x2F, 0xFD, 0xE4, 0, 0, 0, 0, 0, 0, 0, 0x40, 1, 0, 0]),
        ("a claim of 1 GiB", [0x28, 0xB5, 0x2F, 0xFD, 0xA4, 0, 0, 0, 0x40, 1, 0, 0, 1, 2, 3, 4]),
        ("a gigabyte of zeros", HostileFrames.zeros(1 << 30)),
        ("200 MB of zeros", HostileFrames.zeros(200_000_000)),
        ("no size", HostileFrames.zeros(1000, withSize: false)),
        ("no checksum", HostileFrames.zeros(1000, withChecksum: false)),
        ("nothing", []), ("four bytes", [0x28, 0xB5, 0x2F, 0xFD]),
        ("two frames", HostileFrames.zeros(24) + HostileFrames.zeros(24)),
        ("a skippable frame", [0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]),
    ]

    static let blobColumns: [(table: String, column: String, reading: String)] = [
        ("document", "token_ids", "document"), ("tensor_chunk", "values", "readTensorRows"),
        ("score", "detail", "scores"),
    ]

    @Test("Frames larger than declared are not unpacked", arguments: blobColumns.indices, bombs.indices)
    func bombsAreNotSetOff(column: Int, bomb: Int) throws {
        let ((table, name, reading), (what, bytes)) = (Self.blobColumns[column], Self.bombs[bomb])
        try attack { database in
            try database.execute(sql: "UPDATE \(table) SET \"\(name)\" = ?", arguments: [Data(bytes)])
        }

        let result = try read()
        #expect(result.codes(of: reading).contains(.damaged), "\(table) with \(what)")
        #expect(result.problems?.isEmpty == false)
        #expect(result.digest == nil || table == "tensor_chunk")
    }

    @Test(
        "Large frames with matching counts are bounded",
        arguments: [
            // The number beside a blob lies along with it.
            ("UPDATE document SET token_ids = ?, n_tokens = 268435456", 1 << 30),
            ("UPDATE document SET token_ids = ?, n_tokens = 9223372036854775807", 1 << 30),
            ("UPDATE document SET token_ids = ?, n_tokens = -1", 4),
            (
                """
                UPDATE dictionary_tensor SET shape = '[1,134217728]', n_rows = 1, row_length = 134217728,
                    rows_per_chunk = 1; UPDATE tensor_chunk SET "values" = ?, n_rows = 1
                """, 1 << 29
            ),
            ("UPDATE score SET detail = ?", 1 << 26),
        ])
    func bombsWithMatchingNumbers(sql: String, size: Int) throws {
        let frame = Data(HostileFrames.zeros(size))
        try attack { database in
            for statement in sql.split(separator: ";") {
                let arguments: StatementArguments = statement.contains("?") ? [frame] : []
                try database.execute(sql: String(statement), arguments: arguments)
            }
        }

        let result = try read()
        #expect(result.problems?.isEmpty == false, "\(sql)")
    }

    @Test func aThousandWindowsOfAMillionTokens() throws {
        // No byte of activations, and yet each window would take four megabytes.
        let count = 3000
        try attack { database in
            let starts = String(repeating: "0", count: (1 << 20) + 1)
            try database.execute(
                sql: "UPDATE passage SET n_tokens = 1048576, token_starts = ?; UPDATE indexing SET window = 1048576",
                arguments: [starts])
            let trigger = try dropInsertTrigger(database)
            for rank in 10..<10 + count {
                try database.execute(
                    sql: """
                        INSERT INTO feature_context (dictionary_id, feature_index, corpus_id, band, rank, passage_id,
                            position, layer, activation) VALUES (1, 0, 1, 1, ?, 1, ?, 0, 1)
                        """,
                    arguments: [rank, rank])
            }
            try database.execute(sql: trigger)
        }

        let result = try read()
        #expect(result.codes(of: "contexts").contains(.damaged))
        #expect(result.problems?.isEmpty == false)
    }

    @Test(
        "Malformed `other_activations` are damage",
        arguments: [
            "", "{", "{}", "[]", "null", "{\"0\":1", "{\"0\":}", "{\"0\":1,}", "{\"0\":1,\"0\":1}", "{\"1\":1,\"0\":1}",
            "{\"99999999999999999999\":1}", "{\"-1\":1}", "{\"00\":1}", "{\"0\":1e99}", "{\"0\":nan}", "{\"0\":0x1}",
            "{\"0\":\"1\"}", "{\"0\":0}", "{0:1}", "{\"99\":1}", "{ \"0\":1}",
        ])
    func otherActivationsOfNoForm(text: String) throws {
        try attack { database in
            try database.execute(
                sql: "UPDATE feature_context SET other_activations = ? WHERE feature_index = 0", arguments: [text])
        }

        let result = try read()
        #expect(result.codes(of: "contexts") == [.damaged], "\(text)")
        #expect(result.problems?.isEmpty == false)
    }

    @Test("`other_activations` with a million entries are damage") func otherActivationsWithoutEnd() throws {
        try attack { database in
            try database.execute(
                sql: """
                    UPDATE feature_context SET
                        other_activations = '{' || replace(hex(zeroblob(1000000)), '00', '"0":1,') || '"1":1}'
                    """)
        }
        #expect(try read().codes(of: "contexts") == [.damaged])
    }

    @Test(arguments: [
        ("UPDATE dictionary_tensor SET dtype = 'f64'", CatalogError.Code.damaged),
        ("UPDATE dictionary_tensor SET dtype = 'f16'", .damaged),
        ("UPDATE dictionary_tensor SET shape = '[4,4]'", .damaged),
        ("UPDATE dictionary_tensor SET shape = '[-2,2]'", .damaged),
        ("UPDATE dictionary_tensor SET shape = '[4611686018427387904,4611686018427387904]'", .damaged),
        (
            "UPDATE dictionary_tensor SET shape = '[9223372036854775807,0]', n_rows = 9223372036854775807, row_length = 0",
            .damaged
        ),
        ("UPDATE dictionary_tensor SET shape = '[2,2,1e9]'", .damaged),
        ("UPDATE dictionary_tensor SET shape = '{}'", .damaged), ("UPDATE dictionary_tensor SET shape = 'x'", .damaged),
        ("UPDATE dictionary_tensor SET shape = replace(hex(zeroblob(100000)), '00', '[')", .damaged),
        ("UPDATE dictionary_tensor SET rows_per_chunk = 0", .damaged),
        ("UPDATE dictionary_tensor SET rows_per_chunk = -1", .damaged),
        ("UPDATE dictionary_tensor SET rows_per_chunk = 9223372036854775807", .damaged),
        ("UPDATE dictionary_tensor SET rows_per_chunk = 1", .damaged),
        ("UPDATE dictionary_tensor SET n_rows = 1", .damaged),
        ("UPDATE tensor_chunk SET n_rows = 9223372036854775807", .damaged),
        ("UPDATE tensor_chunk SET first_row = -1", .damaged), ("UPDATE tensor_chunk SET first_row = 1", .damaged),
        ("DELETE FROM tensor_chunk", .damaged),
    ])
    func wrongTypesAndShapesOfTensors(sql: String, code: CatalogError.Code) throws {
        try attack { try $0.execute(sql: sql) }
        let result = try read()
        #expect(result.codes(of: "readTensorRows").contains(code), "\(sql)")
        #expect(result.problems?.isEmpty == false, "\(sql)")
    }

    // MARK: Numbers and text

    /// Every typed column of every table that is read.
    private func columns(of type: String) throws -> [(table: String, column: String)] {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        return try queue.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT t.name, c.name FROM pragma_table_list AS t, pragma_table_xinfo(t.name) AS c
                    WHERE t.schema = 'main' AND t.type = 'table' AND c.type = ? AND c.hidden = 0
                        AND t.name NOT LIKE 'sqlite_%'
                    """,
                arguments: [type]
            ).map { ($0[0], $0[1]) }
        }
    }

    @Test(arguments: [Int64.max, .min])
    func hugeIntegersEverywhere(value: Int64) throws {
        let places = try columns(of: "INTEGER")
        #expect(places.count > 90)
        try readWith("\(value)", in: places)
    }

    /// Counts of things in memory: negative range ends and products beyond Int are refused.
    @Test(
        "Counts beyond memory are refused",
        arguments: [
            "dictionary.d_model", "dictionary.n_latents", "dictionary.k", "dictionary.n_tokens_trained",
            "language_model.n_layers", "language_model.d_model", "language_model.vocab_size", "indexing.n_tokens",
            "indexing.n_documents", "indexing.window", "feature.n_fired", "feature.n_documents",
            "feature_layer.n_fired",
            "feature_token.n_fired", "feature_neighbor.neighbor_index", "feature_cofiring.other_index",
            "layer_routing.n_tokens", "evaluation.n_tokens", "score.n_contexts", "score.n_tokens",
        ], ["-1", "9223372036854775807"])
    func countsThatNoMemoryHolds(column: String, value: String) throws {
        let name = column.split(separator: ".").map(String.init)
        try put(value, into: name[0], name[1])
        let result = try read()
        let complaint = "\(path): column \(name[1]) holds \(value)"
        #expect(result.errors.contains { $0.error.code == .damaged && $0.error.message == complaint }, "\(column)")
        #expect(result.problems?.isEmpty == false)
    }

    @Test("More features than latents are damage") func moreFeaturesCountThanThereAreLatents() throws {
        try attack { try $0.execute(sql: "UPDATE dictionary SET n_latents = 1; UPDATE feature SET counted_below = 99") }
        let result = try read()
        #expect(result.codes(of: "countInterpretable") == [.damaged])
        #expect(result.problems?.isEmpty == false)
    }

    @Test("Infinite numbers are read safely", arguments: ["9e999"])
    func numbersBeyondAllBounds(value: String) throws {
        try readWith(value, in: columns(of: "REAL"))
    }

    @Test("Invalid UTF-8 is read safely", arguments: ["x'FF00C1'"])
    func textThatIsNone(bytes: String) throws {
        try readWith("CAST(\(bytes) AS TEXT)", in: columns(of: "TEXT"))
    }

    @Test(
        "Unexpected values in any column are read safely",
        arguments: [
            ("INTEGER", ["-1", "0", "1048576", "4294967296", "9007199254740992"]),
            ("REAL", ["-9e999", "1e308", "-1e308", "4.9e-324", "1e-320", "-0.0", "-1", "1"]),
            (
                "TEXT",
                [
                    "x'FF'", "x'610062'", "x'020302'", "x'C0AF'", "x'EDA080'", "x'F8888080'", "x'00'", "x'F09F'", "x''",
                    "x'E2808E0A0D'",
                ].map {
                    "CAST(\($0) AS TEXT)"
                }
            ),
        ])
    func otherValuesEverywhereAtOnce(type: String, values: [String]) throws {
        let start = try Data(contentsOf: URL(filePath: path))
        for value in values {
            try start.write(to: URL(filePath: path))
            for (table, column) in try columns(of: type) { try put(value, into: table, column) }
            _ = try read()
        }
    }

    /// Reads a catalog with a value in each of some columns in turn.
    private func readWith(_ value: String, in places: [(table: String, column: String)]) throws {
        let start = try Data(contentsOf: URL(filePath: path))
        for (table, column) in places {
            try start.write(to: URL(filePath: path))
            try put(value, into: table, column)
            _ = try read()
        }
    }

    /// Puts a value into a column, of as many rows as constraints allow that even an attacker has to obey: one row if
    /// it has to be unique, or a trigger objects.
    private func put(_ value: String, into table: String, _ column: String) throws {
        try attack { database in
            let sql = "UPDATE OR IGNORE \"\(table)\" SET \"\(column)\" = \(value)"
            do { try database.execute(sql: sql) } catch {
                #expect(table == "feature_context")
                try database.execute(sql: sql + " WHERE feature_index = 0 AND band = 0")
            }
        }
    }

    @Test(
        "Consistent but false numbers are found",
        arguments: [
            "UPDATE feature_layer SET n_fired = 9223372036854775807",
            "UPDATE feature_context SET position = 9223372036854775807 - feature_index - band; UPDATE passage SET first_token = 9223372036854775807",
            "UPDATE indexing SET window = 9223372036854775807; UPDATE passage SET n_tokens = 9223372036854775806",
            "UPDATE passage SET token_starts = ''", "UPDATE passage SET token_starts = '9999999'",
            "UPDATE passage SET token_starts = replace(hex(zeroblob(4000000)), '00', '9')",
            "UPDATE passage SET token_starts = '000000000000000000099999999999999999999999'",
            "UPDATE passage SET n_tokens = 1000000, token_starts = replace(hex(zeroblob(500001)), '00', '11')",
            "UPDATE feature SET histogram = replace(hex(zeroblob(1000000)), '00', '[')",
            "UPDATE feature SET histogram = '[1e400]'", "UPDATE indexing SET histogram_edges = '[1e999,\"a\"]'",
            "UPDATE dictionary SET layers = '[9223372036854775808]'", "UPDATE run SET config = char(123)",
        ])
    func numbersThatLieTogether(sql: String) throws {
        try attack { try $0.execute(sql: sql) }
        #expect(try read().noticed, "\(sql)")
    }

    @Test func manyMatchesInALongText() throws {
        // A word thirty thousand times in one passage, and a thousand contexts that show all of it.
        let count = 30_000
        try attack { database in
            let text = String(repeating: "a ", count: count)
            let starts = (0...count).map { String(format: "%06d", 2 * $0) }.joined()
            let trigger = try dropInsertTrigger(database)
            try database.execute(
                sql: "UPDATE passage SET text = ?, n_tokens = ?, token_starts = ?; UPDATE indexing SET window = ?",
                arguments: [text, count, starts, count])
            for rank in 10..<1010 {
                try database.execute(
                    sql: """
                        INSERT INTO feature_context (dictionary_id, feature_index, corpus_id, band, rank, passage_id,
                            position, layer, activation) VALUES (1, ?, 1, 1, ?, 1, ?, 0, 1)
                        """,
                    arguments: [rank % 2, rank, rank])
            }
            try database.execute(sql: trigger)
        }

        let catalog = try Catalog.open(at: path, mode: .readOnly)
        let start = ProcessorTime.ofThisThread
        _ = try catalog.searchContexts("a")
        let taken = ProcessorTime.ofThisThread - start
        #expect(taken < .seconds(5))
    }

    @Test func passagesThatAllOverlap() throws {
        try attack { database in
            try database.execute(
                sql: """
                    WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
                    INSERT INTO passage SELECT i, 1, i, i, 9000000, '', '0' FROM n
                    """)
        }

        let catalog = try Catalog.open(at: path, mode: .readOnly)
        let start = ProcessorTime.ofThisThread
        let problems = try catalog.verify()
        let taken = ProcessorTime.ofThisThread - start
        #expect(!problems.isEmpty)
        #expect(taken < .seconds(5))
    }

    @Test func rowsThatReferInCircles() throws {
        try attack { database in
            try database.execute(
                sql: """
                    UPDATE score SET explanation_id = 99; UPDATE review SET explanation_id = -1;
                    UPDATE feature SET explanation_id = 77; UPDATE explanation SET feature_index = 1;
                    UPDATE dictionary SET run_id = 55; UPDATE document SET corpus_id = 44;
                    """)
        }

        let result = try read()
        #expect(result.problems?.isEmpty == false)
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
    private static let journalHeader: [UInt8] =
        [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7] + [0, 0, 0, 0] + [1, 2, 3, 4] + [0, 0, 0, 1] + [0, 0, 2, 0]
        + [0, 0, 0x20, 0] + [UInt8](repeating: 0, count: 484)

    // MARK: The attacker

    /// Changes the file, ignoring every rule.
    private func attack(_ body: (Database) throws -> Void) throws {
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
    private func dropInsertTrigger(_ database: Database) throws -> String {
        let name = "feature_context_insert"
        let sql = try String.fetchOne(database, sql: "SELECT sql FROM sqlite_schema WHERE name = ?", arguments: [name])
        try database.execute(sql: "DROP TRIGGER \(name)")
        return try #require(sql)
    }

    private func rewriteSchema(_ table: String, _ old: String, _ new: String) throws {
        try attack { database in
            try database.execute(sql: "PRAGMA writable_schema = ON")
            try database.execute(
                sql: "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = ?", arguments: [old, new, table])
            let sql = try String.fetchOne(
                database, sql: "SELECT sql FROM sqlite_schema WHERE name = ?", arguments: [table])
            #expect(sql?.contains(new) == true)
        }
    }

    private func expectRefusal(_ code: CatalogError.Code = .refused, containing reason: String = "") throws {
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
    private func read() throws -> EveryReading {
        try #require(try read(mayFailToOpen: false))
    }

    private func read(mayFailToOpen: Bool) throws -> EveryReading? {
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
