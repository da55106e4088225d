import CatalogMigrations
import FeatureCatalog
import Foundation
import GRDB
import TestSupport
import Testing

/// Tables, views, indexes and triggers added to a catalog block nobody, and are never run.
@Suite struct AdditionsTests {
    private let directory: MemoryDirectory
    private let path: String

    init() throws {
        directory = try MemoryDirectory()
        path = try TinyCatalog.make(at: directory.file("a.catalog"))
    }

    static let kinds: [(sql: String, descriptions: [String])] = [
        ("CREATE TABLE notes (id INTEGER PRIMARY KEY, note TEXT)", ["table notes"]),
        ("CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT)", ["table notes"]),
        ("CREATE TABLE notes (n TEXT UNIQUE, m INTEGER PRIMARY KEY) STRICT, WITHOUT ROWID", ["table notes"]),
        ("CREATE TABLE Passage_Text_Extra (x)", ["table Passage_Text_Extra"]),
        ("CREATE TABLE passage_text_data2 (x)", ["table passage_text_data2"]),
        ("CREATE TABLE notes (x CHECK (length(zeroblob(1000000000)) > 0))", ["table notes"]),
        ("CREATE TABLE notes (x, poison AS (printf('%.*c', 1000000000, 'x')))", ["table notes"]),
        ("CREATE TABLE notes (x); CREATE INDEX i ON notes (x)", ["table notes", "index i on notes"]),
        (
            "CREATE TABLE notes (x); CREATE UNIQUE INDEX i ON notes (abs(x)) WHERE x > 1",
            ["table notes", "index i on notes"]
        ),
        ("CREATE INDEX by_documents ON feature (n_documents)", ["index by_documents on feature"]),
        ("CREATE INDEX by_token ON feature (top_token COLLATE NOCASE)", ["index by_token on feature"]),
        ("CREATE VIEW mine AS SELECT * FROM run JOIN review", ["view mine"]),
        ("CREATE VIEW mine AS SELECT load_extension('x') FROM nowhere", ["view mine"]),
        (
            "CREATE TABLE notes (x); CREATE TRIGGER t AFTER INSERT ON notes BEGIN DELETE FROM review; END",
            ["table notes", "trigger t on notes"]
        ),
        (
            "CREATE VIEW mine AS SELECT 1; CREATE TRIGGER t INSTEAD OF INSERT ON mine BEGIN DELETE FROM run; END",
            ["view mine", "trigger t on mine"]
        ),
        (
            "CREATE VIRTUAL TABLE v USING fts5(x, content='')",
            ["virtual table v"] + ["data", "idx", "docsize", "config"].map { "shadow table v_\($0)" }
        ),
        ("CREATE TABLE notes (feature REFERENCES other)", ["table notes"]),
    ]

    @Test("Additions are listed and left unchanged", arguments: kinds.indices)
    func additionsAreListedAndLeftAlone(number: Int) throws {
        let (sql, descriptions) = Self.kinds[number]
        let plain = try Catalog.open(at: path, mode: .readOnly)
        let digest = try plain.contentDigest()
        #expect(try plain.additions() == [])
        try plain.close()
        try add(sql)
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        #expect(try catalog.additions().map(\.description) == descriptions)
        #expect(try catalog.verify() == [])
        #expect(try catalog.contentDigest() == digest)
        try catalog.close()
        // Writing goes on beside them.
        let writing = try Catalog.open(at: path, mode: .readWrite)
        let run = try writing.beginRun(kind: .index, config: "{}", seed: nil)
        try TinyCatalog.index(writing, run, replacing: true)
        try writing.finishRun(run, status: .complete)
        #expect(try writing.verify() == [])
        try writing.close()
    }

    @Test(
        "A foreign key to a catalog table blocks writing, not reading",
        arguments: [
            "REFERENCES feature ON DELETE CASCADE", "REFERENCES DICTIONARY",
            "REFERENCES review (note) ON UPDATE SET NULL",
        ])
    func foreignKeysToOursKeepFromWritingOnly(key: String) throws {
        try add("CREATE TABLE notes (x \(key))")
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        #expect(try catalog.verify() == [])
        try catalog.close()
        expectCatalogError(.refused, containing: "FOREIGN KEY (x)") { _ = try Catalog.open(at: path, mode: .readWrite) }
    }

    @Test("Dangling foreign keys of added tables are not reported") func danglingKeysOfOthersAreNotOurs() throws {
        try add("CREATE TABLE notes (x REFERENCES dictionary); INSERT INTO notes VALUES (77)")
        #expect(try Catalog.open(at: path, mode: .readOnly).verify() == [])
    }

    @Test("Damage in catalog tables is found beside additions") func damageOfOursIsFoundBesideThem() throws {
        try add("CREATE TABLE notes (x); PRAGMA ignore_check_constraints = ON; UPDATE feature SET is_dead = 1")
        #expect(try !Catalog.open(at: path, mode: .readOnly).verify().isEmpty)
    }

    @Test func aTriggerCannotHideItsTable() throws {
        try add(
            """
            CREATE TABLE notes (x); CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM review; END;
            PRAGMA writable_schema = ON; UPDATE sqlite_schema SET tbl_name = 'notes' WHERE name = 't'
            """)
        for mode in [Catalog.Mode.readOnly, .readWrite] {
            #expect(throws: CatalogError.self) { _ = try Catalog.open(at: path, mode: mode) }
        }
    }

    @Test func sqlReadsThem() throws {
        try add(
            """
            CREATE TABLE notes (feature INTEGER, note TEXT); INSERT INTO notes VALUES (1, 'hm');
            CREATE VIEW mine AS SELECT f.feature_index, n.note FROM feature AS f JOIN notes AS n
                ON n.feature = f.feature_index;
            CREATE VIEW bad AS SELECT load_extension('x') AS x;
            """)
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        #expect(try catalog.runReadOnly(sql: "SELECT note FROM mine").rows == [[.text("hm")]])
        expectCatalogError(.invalidSQL, containing: "load_extension") {
            _ = try catalog.runReadOnly(sql: "SELECT * FROM bad")
        }
    }

    @Test("Plain additions are copied, others are not") func plainOnesAreCopiedAndNoOthers() throws {
        try add(
            """
            CREATE TABLE notes (id INTEGER PRIMARY KEY, note TEXT CHECK (length(note) > 1));
            PRAGMA ignore_check_constraints = ON; INSERT INTO notes VALUES (7, 'a'), (9, NULL);
            CREATE INDEX by_note ON notes (note); CREATE INDEX by_length ON notes (length(note));
            CREATE INDEX by_documents ON feature (n_documents);
            CREATE VIEW mine AS SELECT note FROM notes; CREATE TABLE computed (x, y AS (x + 1));
            CREATE TABLE child (x REFERENCES feature); CREATE VIRTUAL TABLE v USING fts5(x);
            CREATE TRIGGER t AFTER INSERT ON notes BEGIN DELETE FROM review; END;
            """)
        let source = try Catalog.open(at: path, mode: .readOnly)
        let target = try Catalog.create(at: directory.file("b.catalog"), replacing: false)
        var remarks: [String] = []
        for _ in 0..<2 { try source.copyAdditions(to: target) { remarks.append($0) } }
        #expect(
            try target.additions().map(\.description) == [
                "table notes", "index by_note on notes", "index by_documents on feature", "view mine",
            ])
        #expect(
            try target.runReadOnly(sql: "SELECT id, note FROM notes").rows == [
                [.integer(7), .text("a")], [.integer(9), .null],
            ])
        #expect(
            remarks.prefix(5).map { $0.replacing("\(path): ", with: "") } == [
                "index by_length on notes is not kept: it has expressions",
                "table computed is not kept: it has generated columns",
                "table child is not kept: it refers to rows of feature, whose keys may change",
                "virtual table v is not kept: virtual tables never are",
                "trigger t on notes is not kept: triggers never are",
            ])
        #expect(
            remarks.dropFirst(5).first?.hasSuffix("notes is not kept: something of that name is there already") == true)
    }

    @Test("Migrating keeps additions") func anOlderFileBringsThemAlong() throws {
        let old = directory.file("old.catalog")
        let queue = try DatabaseQueue(path: old)
        try queue.writeWithoutTransaction { database in
            for migration in Migrations.all.prefix(5) { try database.execute(sql: migration.sql) }
            try database.execute(
                sql: """
                    INSERT INTO catalog (catalog_id, uuid, created_at, created_by) VALUES (1, 'u', 't', 'v');
                    CREATE TABLE notes (feature INTEGER REFERENCES feature (feature_index), note TEXT);
                    PRAGMA foreign_keys = OFF; INSERT INTO notes VALUES (1, 'hm');
                    CREATE INDEX by_note ON notes (note); CREATE INDEX by_source ON corpus (source);
                    CREATE VIEW mine AS SELECT f.feature_index, n.note FROM feature AS f JOIN notes AS n
                        ON n.feature = f.feature_index;
                    PRAGMA application_id = \(0x5253_4145); PRAGMA user_version = 5;
                    """)
        }
        try queue.close()
        try Catalog.migrate(at: old)
        let catalog = try Catalog.open(at: old, mode: .readOnly)
        #expect(try catalog.verify() == [])
        let found = try catalog.additions().map(\.description)
        for expected in ["table notes", "index by_note on notes", "view mine"] { #expect(found.contains(expected)) }
        #expect(try catalog.runReadOnly(sql: "SELECT note FROM notes").rows == [[.text("hm")]])
        #expect(try catalog.runReadOnly(sql: "SELECT note FROM mine").rows == [])
    }

    /// Runs statements as another tool would.
    private func add(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA foreign_keys = OFF")
            try database.execute(sql: sql)
        }
        try queue.close()
    }
}
