import CatalogMigrations
import FeatureCatalog
import Foundation
import GRDB
import TestSupport
import Testing

@Suite struct CatalogFileTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private var files: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() }
    }

    @Test("Closing leaves one file") func oneFileIsLeft() throws {
        let path = directory.file("a.catalog")
        let sample = try SampleCatalog(at: path)
        #expect(try files.contains("a.catalog-wal"))
        #expect(try sample.catalog.close())
        #expect(try files == ["a.catalog"])
        // In the header, bytes 18 and 19 are 1 for a rollback journal and 2 for a write-ahead log.
        let header = try Data(contentsOf: URL(filePath: path)).prefix(100)
        #expect(header[18] == 1 && header[19] == 1)
        #expect(Array(header[68..<72]) == Array("RSAE".utf8))
    }

    @Test("The journal stays while a reader is open") func whileSomeoneReadsTheJournalStays() throws {
        let path = directory.file("a.catalog")
        let writer = try SampleCatalog(at: path).catalog
        let reader = try Catalog.open(at: path, mode: .readOnly)
        #expect(try reader.runs().count == 2)
        #expect(try !writer.close())
        #expect(try reader.runs().count == 2)
        try reader.close()
        try Catalog.open(at: path, mode: .readWrite).close()
        #expect(try files == ["a.catalog"])
    }

    @Test("A catalog keeps its identity") func identityStays() throws {
        let path = directory.file("a.catalog")
        let made = try Catalog.create(at: path, replacing: false, software: SoftwareIdentity(version: "x 1"))
        let identity = try made.identity()
        try made.close()
        let opened = try Catalog.open(at: path, mode: .readOnly)
        #expect(try opened.identity() == identity)
        #expect(
            identity.createdBy == "x 1" && identity.schemaVersion == Migrations.latest
                && identity.createdAt.hasSuffix("Z"))
    }

    @Test func existingFilesAreNotReplacedUnlessAsked() throws {
        let path = directory.file("a.catalog")
        let first = try SampleCatalog(at: path).catalog
        let identity = try first.identity()
        try first.close()
        expectCatalogError(.exists) { _ = try Catalog.create(at: path, replacing: false) }
        let second = try Catalog.create(at: path, replacing: true)
        #expect(try second.identity().uuid != identity.uuid)
        #expect(try second.runs().isEmpty)
        try second.close()
        #expect(try files == ["a.catalog"])
    }

    @Test("The journal of a replaced file is not applied to the new one")
    func aJournalOfTheReplacedFileIsNotTakenForOneOfTheNew() throws {
        let path = directory.file("a.catalog")
        let first = try SampleCatalog(at: path).catalog
        // Not closed: its write-ahead log still lies beside it.
        let second = try Catalog.create(at: path, replacing: true)
        #expect(try second.runs().isEmpty)
        #expect(try second.verify().isEmpty)
        try second.close()
        withExtendedLifetime(first) {}
    }

    @Test func otherFilesAreNeverReplaced() throws {
        let path = directory.file("thesis.txt")
        try Data("three years of work".utf8).write(to: URL(filePath: path))
        expectCatalogError(.refused) { _ = try Catalog.create(at: path, replacing: true) }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "three years of work")
        #expect(try files == ["thesis.txt"])
    }

    @Test("A missing folder is not created") func withoutTheFolderNothingIsMade() {
        expectCatalogError(.cannotWrite) {
            _ = try Catalog.create(at: directory.file("missing/a.catalog"), replacing: false)
        }
    }

    @Test func otherThingsAreNotCatalogs() throws {
        expectCatalogError(.missing) { _ = try Catalog.open(at: directory.file("nothing"), mode: .readOnly) }
        expectCatalogError(.notACatalog, containing: "folder") {
            _ = try Catalog.open(at: directory.path, mode: .readOnly)
        }

        let contents: [(String, [UInt8], String)] = [
            ("empty", [], "empty"), ("text", Array("hello".utf8), "not a SQLite database"),
            ("magic", Array("SQLite format 3\0".utf8), "not a SQLite database"),
            ("zeros", [UInt8](repeating: 0, count: 8192), "not a SQLite database"),
        ]
        for (name, bytes, reason) in contents {
            try Data(bytes).write(to: URL(filePath: directory.file(name)))
            for mode in [Catalog.Mode.readOnly, .readWrite] {
                expectCatalogError(.notACatalog, containing: reason) {
                    _ = try Catalog.open(at: directory.file(name), mode: mode)
                }
            }
            #expect(try Array(Data(contentsOf: URL(filePath: directory.file(name)))) == bytes)
        }
    }

    @Test func otherDatabasesAreNotCatalogs() throws {
        let path = directory.file("other.db")
        try DatabaseQueue(path: path).write { try $0.execute(sql: "CREATE TABLE feature (x)") }
        expectCatalogError(.notACatalog, containing: "not a catalog of features") {
            _ = try Catalog.open(at: path, mode: .readOnly)
        }
        try DatabaseQueue(path: path).writeWithoutTransaction {
            try $0.execute(sql: "PRAGMA application_id = 0x52534145")
        }
        expectCatalogError(.notACatalog, containing: "without a schema") {
            _ = try Catalog.open(at: path, mode: .readOnly)
        }
        try DatabaseQueue(path: path).writeWithoutTransaction {
            try $0.execute(sql: "PRAGMA user_version = \(Migrations.latest)")
        }
        expectCatalogError(.refused, containing: "feature") { _ = try Catalog.open(at: path, mode: .readOnly) }
    }

    @Test("Catalogs of newer schemas are refused unchanged") func newerSchemasAreLeftAlone() throws {
        let path = try changed { try $0.execute(sql: "PRAGMA user_version = 999") }
        expectCatalogError(.tooNew, containing: "999") { _ = try Catalog.open(at: path, mode: .readOnly) }
        expectCatalogError(.tooNew) { _ = try Catalog.open(at: path, mode: .readWrite) }
        expectCatalogError(.tooNew) { try Catalog.migrate(at: path) }
    }

    @Test(arguments: [
        ("CREATE TRIGGER spy AFTER INSERT ON run BEGIN DELETE FROM review; END", "unexpected trigger \"spy\""),
        ("CREATE VIEW json_tree AS SELECT 1", "unexpected view \"json_tree\""),
        ("CREATE TABLE passage_text_content (x)", "unexpected table"),
        ("DROP INDEX score_by_run", "index \"score_by_run\" is missing"),
        ("DROP TRIGGER feature_context_insert", "\"feature_context_insert\" is missing"),
        ("DROP VIEW layer_profile; CREATE VIEW layer_profile AS SELECT randomblob(9)", "\"layer_profile\" differs"),
        ("ALTER TABLE review ADD COLUMN x TEXT", "\"review\" differs"),
    ])
    func changedSchemasAreRefused(sql: String, reason: String) throws {
        let path = try changed { try $0.execute(sql: sql) }
        expectCatalogError(.refused, containing: reason) { _ = try Catalog.open(at: path, mode: .readOnly) }
        expectCatalogError(.refused, containing: reason) { _ = try Catalog.open(at: path, mode: .readWrite) }
    }

    @Test("Planner statistics are allowed") func plannerStatisticsAreWelcome() throws {
        let path = try changed { try $0.execute(sql: "ANALYZE") }
        #expect(try Catalog.open(at: path, mode: .readOnly).verify().isEmpty)
    }

    @Test("Reading does not change the file") func readingChangesNothing() throws {
        let path = try changed { _ in }
        let before = try Data(contentsOf: URL(filePath: path))
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        #expect(try catalog.dictionaries().count == 1)
        expectCatalogError(.cannotWrite) { _ = try catalog.beginRun(kind: .score, config: "{}", seed: nil) }
        _ = try catalog.runReadOnly(sql: "SELECT * FROM feature_summary")
        #expect(try catalog.verify().isEmpty)
        try catalog.close()
        #expect(try Data(contentsOf: URL(filePath: path)) == before)
        #expect(try files == ["a.catalog"])
    }

    @Test("Truncated and overwritten files never crash") func cutAndScribbledFilesNeverCrash() throws {
        let path = try changed { _ in }
        let whole = try Array(Data(contentsOf: URL(filePath: path)))
        let other = directory.file("damaged")
        var generator = SplitMix(state: 5)
        for attempt in 0..<40 {
            var bytes = whole
            if attempt % 4 == 0 {
                bytes.removeLast(1 + generator.next(below: bytes.count - 200))
            } else {
                for _ in 0..<50 {
                    bytes[100 + generator.next(below: bytes.count - 100)] = UInt8(generator.next(below: 256))
                }
            }
            try Data(bytes).write(to: URL(filePath: other))
            // Whatever comes of it, it comes as an error or as a list of problems.
            do {
                let catalog = try Catalog.open(at: other, mode: .readOnly)
                let problems = try catalog.verify()
                if attempt % 4 == 0 { #expect(!problems.isEmpty) }
                _ = try catalog.contentDigest()
            } catch { #expect(!error.message.isEmpty) }
        }
    }

    private func changed(_ change: (Database) throws -> Void) throws -> String {
        let path = directory.file("a.catalog")
        try SampleCatalog(at: path).catalog.close()
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction(change)
        try queue.close()
        return path
    }
}
