import FeatureCatalog
import Foundation
import GRDB
import TestSupport
import Testing

@Suite struct VerificationTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func aGoodCatalogHasNoProblems() throws {
        let sample = try SampleCatalog(at: directory.file("a.catalog"))
        #expect(try sample.catalog.verify() == [])
        try sample.catalog.close()
        #expect(try Catalog.open(at: sample.catalog.path, mode: .readOnly).verify() == [])
    }

    @Test(arguments: [
        ("UPDATE dictionary_tensor SET sha256 = printf('%064d', 0) WHERE name = 'decoder'", "SHA-256"),
        ("DELETE FROM tensor_chunk WHERE chunk_id = 1", "missing"),
        ("UPDATE document SET n_tokens = n_tokens + 1 WHERE document_id = 1", "document 1"),
        ("UPDATE document SET token_ids = x'00' WHERE document_id = 2", "document 2"),
        ("UPDATE context SET activations = x'28b52ffd' WHERE context_id = 3", "context 3"),
        ("UPDATE context SET activation = 9 WHERE context_id = 1", "peak"),
        ("UPDATE feature SET peak_layer = 5 WHERE feature_index = 9", "feature 9"),
        ("UPDATE feature SET firing_rate = 0.5 WHERE feature_index = 8", "feature 8"),
        ("UPDATE feature SET top_token = 'x' WHERE feature_index = 8", "feature 8"),
        ("UPDATE run SET config = '{' WHERE run_id = 1", "run.config"),
        ("PRAGMA foreign_keys = OFF; DELETE FROM language_model", "language_model"),
    ])
    func problemsAreFound(sql: String, reason: String) throws {
        let path = directory.file("a.catalog")
        try SampleCatalog(at: path).catalog.close()
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
        let problems = try Catalog.open(at: path, mode: .readOnly).verify()
        #expect(problems.contains { $0.description.contains(reason) }, "\(problems)")
    }

    @Test func aDamagedPageIsFound() throws {
        let path = directory.file("a.catalog")
        try SampleCatalog(at: path).catalog.close()
        var bytes = try Array(Data(contentsOf: URL(filePath: path)))
        // The last page of the file, whatever it holds, with its cells shuffled.
        for index in bytes.count - 8192..<bytes.count { bytes[index] = UInt8(truncatingIfNeeded: index &* 31) }
        try Data(bytes).write(to: URL(filePath: path))
        #expect(try !Catalog.open(at: path, mode: .readOnly).verify().isEmpty)
    }

    @Test func everyDamagedByteOfActivationsIsNoticed() throws {
        let sample = try SampleCatalog(at: directory.file("a.catalog"))
        try sample.catalog.close()
        let good = sample.contexts.filter { $0.featureIndex == 0 }.map(\.activations)
        let queue = try DatabaseQueue(path: sample.catalog.path)
        let frame = try #require(
            try queue.read { try Data.fetchOne($0, sql: "SELECT activations FROM context WHERE context_id = 1") })
        for index in frame.indices {
            for bit in [0, 3, 7] {
                var damaged = frame
                damaged[index] ^= 1 << bit
                try queue.write {
                    try $0.execute(sql: "UPDATE context SET activations = ? WHERE context_id = 1", arguments: [damaged])
                }
                let opened = try Catalog.open(at: sample.catalog.path, mode: .readOnly)
                do {
                    let contexts = try opened.contexts(dictionaryID: sample.dictionaryID, featureIndex: 0)
                    #expect(contexts.map(\.activations) == good)
                } catch {
                    #expect(error.code == .damaged && error.message.contains("context 1"))
                }
            }
        }
    }

    @Test func wrongTypesOfAForeignFileAreErrors() throws {
        let sample = try SampleCatalog(at: directory.file("a.catalog"))
        try sample.catalog.close()
        // In place of the number 40 a text: what a hostile file may hold although its table is STRICT.
        let queue = try DatabaseQueue(path: sample.catalog.path)
        try queue.writeWithoutTransaction { database in
            try database.execute(
                sql: """
                    PRAGMA writable_schema = ON;
                    UPDATE sqlite_schema SET sql = replace(sql, 'n_latents INTEGER NOT NULL CHECK (n_latents > 0)',
                        'n_latents ANY') WHERE name = 'dictionary';
                    """)
        }
        try queue.close()
        let second = try DatabaseQueue(path: sample.catalog.path)
        try second.writeWithoutTransaction { database in
            try database.execute(sql: "UPDATE dictionary SET n_latents = 'many'")
            try database.execute(
                sql: """
                    PRAGMA writable_schema = ON;
                    UPDATE sqlite_schema SET sql = replace(sql, 'n_latents ANY',
                        'n_latents INTEGER NOT NULL CHECK (n_latents > 0)') WHERE name = 'dictionary';
                    """)
        }
        try second.close()
        let opened = try Catalog.open(at: sample.catalog.path, mode: .readOnly)
        expectCatalogError(.damaged, containing: "n_latents") { _ = try opened.dictionaries() }
        #expect(try !opened.verify().isEmpty)
    }
}
