import CatalogMigrations
import FeatureCatalog
import Foundation
import GRDB
import TestSupport
import Testing

/// A catalog of version 1, migrated to the present.
@Suite struct MigrationTests {
    private let directory: TemporaryDirectory
    /// The original, and the one to migrate.
    private let old: String
    private let path: String
    private let key = IndexingKey(dictionaryID: 1, corpusID: 1)

    init() throws {
        directory = try TemporaryDirectory()
        old = directory.file("old.sqlite")
        path = directory.file("c.sqlite")
        let bytes = try FrozenCatalog.one.bytes()
        for file in [old, path] { try bytes.write(to: URL(filePath: file)) }
    }

    private func rows(_ file: String, _ sql: String) throws -> [Row] {
        let queue = try DatabaseQueue(path: file)
        defer { try? queue.close() }
        return try queue.read { try Row.fetchAll($0, sql: sql) }
    }

    /// Every statement of a schema, word for word, in an order that does not depend on what was there before.
    private func schema(of catalog: Catalog) throws -> [[CatalogValue]] {
        try catalog.rows(
            sql:
                "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name"
        ).rows
    }

    private func bytes(_ file: String) throws -> Data { try Data(contentsOf: URL(filePath: file)) }

    /// Compares the rows of two statements, one on the old file and one on the migrated.
    private func expectSame(
        _ label: String, _ oldSQL: String, _ newSQL: String, relative: Double = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try rows(old, oldSQL)
        let after = try rows(path, newSQL)
        #expect(!before.isEmpty, "nothing to compare in \(label)", sourceLocation: sourceLocation)
        guard before.count == after.count else {
            Issue.record("\(label): \(before.count) rows and \(after.count)", sourceLocation: sourceLocation)
            return
        }
        for (one, other) in zip(before, after) {
            let same = zip(one.databaseValues, other.databaseValues).allSatisfy { one, other in
                if relative > 0, case .double(let a) = one.storage, case .double(let b) = other.storage {
                    return abs(a - b) <= relative * abs(a)
                }
                return one == other
            }
            #expect(same && one.count == other.count, "\(label): \(one), \(other)", sourceLocation: sourceLocation)
        }
    }

    private func columns(_ table: String, except: Set<String> = []) throws -> String {
        try rows(old, "SELECT name FROM pragma_table_info('\(table)')").map { $0[0] as String }
            .filter { !except.contains($0) }.map { "\"\($0)\"" }.joined(separator: ", ")
    }

    @Test("An old catalog is not opened without migrating") func anOldCatalogIsNotOpenedAsItIs() throws {
        let before = try bytes(path)
        for mode in [Catalog.Mode.readOnly, .readWrite] {
            expectCatalogError(.tooOld, containing: "migrate") { _ = try Catalog.open(at: path, mode: mode) }
        }
        #expect(try bytes(path) == before)
    }

    @Test("Migrating makes the present schema") func itIsBroughtToThePresent() throws {
        var steps: [String] = []
        #expect(try Catalog.migrate(at: path) { steps.append($0) } == 1)
        #expect(steps == Migrations.all.dropFirst().map(\.name))
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        #expect(try catalog.identity().schemaVersion == Migrations.latest)
        #expect(try catalog.verify() == [])
        let fresh = try Catalog.create(at: directory.file("fresh.sqlite"), replacing: false)
        #expect(try schema(of: catalog) == schema(of: fresh))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0.hasPrefix("c.") }
                == ["c.sqlite"])
        // It can be written to as any other.
        try catalog.close()
        let writable = try Catalog.open(at: path, mode: .readWrite)
        let digest = try writable.contentDigest()
        _ = try writable.addCorpus(
            CorpusRecord(languageModelID: 1, name: "new", sha256: String(repeating: "0", count: 64)))
        #expect(try writable.contentDigest() != digest)
        try writable.close()
    }

    @Test func migratingTwiceChangesNothing() throws {
        try Catalog.migrate(at: path)
        let before = try bytes(path)
        var steps: [String] = []
        #expect(try Catalog.migrate(at: path) { steps.append($0) } == Migrations.latest)
        #expect(steps.isEmpty)
        #expect(try bytes(path) == before)
    }

    @Test("Migrating resumes after any step") func afterEveryStepItGoesOn() throws {
        // What is on the disk when a step begins is what there is if the process dies in it.
        var copies: [String] = []
        try Catalog.migrate(at: path) { step in
            let copy = directory.file("\(step).sqlite")
            try? FileManager.default.copyItem(atPath: path, toPath: copy)
            copies.append(copy)
        }

        let whole = try Catalog.open(at: path, mode: .readOnly)
        #expect(copies.count == Migrations.latest - 1)
        for (index, copy) in copies.enumerated() {
            if index > 0 { expectCatalogError(.tooOld) { _ = try Catalog.open(at: copy, mode: .readWrite) } }
            #expect(try Catalog.migrate(at: copy) == index + 1)
            let catalog = try Catalog.open(at: copy, mode: .readOnly)
            #expect(try catalog.verify() == [] && catalog.contentDigest() == whole.contentDigest())
            #expect(try schema(of: catalog) == schema(of: whole))
        }
    }

    @Test("Every row is found after migrating") func everyRowIsFoundAgain() throws {
        try Catalog.migrate(at: path)
        for table in [
            "catalog", "run", "run_input", "run_metric", "language_model", "token", "corpus", "document", "dictionary",
            "dictionary_tensor", "tensor_chunk", "indexing", "feature", "layer_routing", "feature_token",
            "feature_logit", "feature_neighbor", "explanation", "score", "evaluation", "intervention",
        ] {
            let names = try columns(table)
            let sql = "SELECT \(names) FROM \(table) ORDER BY \(names)"
            try expectSame(table, sql, sql)
        }
        try expectSame(
            "review",
            """
            SELECT feature_index, explanation_id,
                CASE verdict WHEN 'agree' THEN 5 WHEN 'disagree' THEN 1 ELSE 3 END AS verdict, note, reviewer, created_at
            FROM review ORDER BY review_id
            """,
            "SELECT feature_index, explanation_id, verdict, note, reviewer, created_at FROM review ORDER BY review_id")
        let names = try columns("feature_layer")
        let sql = "SELECT \(names) FROM feature_layer ORDER BY dictionary_id, feature_index, layer"
        try expectSame("feature_layer", sql, sql, relative: 1e-15)
        for (view, order) in [
            ("feature_summary", "dictionary_id, feature_index"), ("layer_profile", "dictionary_id, layer"),
            ("dictionary_summary", "dictionary_id"),
        ] {
            let sql = "SELECT \(try columns(view)) FROM \(view) ORDER BY \(order)"
            try expectSame(view, sql, sql, relative: 1e-12)
        }
        // No table of the old file has been forgotten here.
        let tables = try rows(
            old, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '%\\_text%' ESCAPE '\\'")
        #expect(tables.count == 24)
    }

    @Test func documentsAndTensorsHoldTheSame() throws {
        try Catalog.migrate(at: path)
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        let documents = try rows(old, "SELECT document_id, n_tokens, token_ids FROM document")
        #expect(documents.count == 4)
        for row in documents {
            let count: Int = row[1]
            let bytes = try Zstd.decompress(Array(row[2] as Data), limit: 4 * count)
            let ids = stride(from: 0, to: bytes.count, by: 4).map { place in
                Int32(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (8 * $1) })
            }
            #expect(try catalog.document(row[0]).tokenIDs == ids && ids.count == count)
        }

        let tensors = try rows(
            old, "SELECT tensor_id, dictionary_id, name, dtype, n_rows, row_length FROM dictionary_tensor")
        #expect(tensors.count == 5)
        for tensor in tensors {
            let chunks = try rows(
                old, "SELECT \"values\" FROM tensor_chunk WHERE tensor_id = \(tensor[0] as Int64) ORDER BY first_row")
            let bytes = try chunks.flatMap { try Zstd.decompress(Array($0[0] as Data), limit: 1 << 24) }
            let isSingle = tensor[3] as String == "f32"
            let values = stride(from: 0, to: bytes.count, by: isSingle ? 4 : 2).map { place in
                let bits = (0..<(isSingle ? 4 : 2)).reduce(UInt32(0)) { $0 | UInt32(bytes[place + $1]) << (8 * $1) }
                return tensor[3] as String == "f16"
                    ? Float(Float16(bitPattern: UInt16(bits))) : Float(bitPattern: isSingle ? bits : bits << 16)
            }
            #expect(values.count == tensor[4] * tensor[5])
            #expect(try catalog.readTensorRows(dictionaryID: tensor[1], name: tensor[2]) == values)
        }
    }

    @Test func contextsAreWindowsOfPassages() throws {
        try Catalog.migrate(at: path)
        let names = try columns("context", except: ["context_id", "activations", "excerpt"])
        try expectSame(
            "context", "SELECT \(names) FROM context ORDER BY dictionary_id, feature_index, band, rank",
            "SELECT \(names) FROM context ORDER BY dictionary_id, feature_index, band, rank")
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        let order = "CASE band WHEN 'top' THEN 0 WHEN 'sample' THEN 1 ELSE 2 END, rank"
        let before = Dictionary(
            grouping: try rows(
                old,
                """
                SELECT feature_index, excerpt, activations, window_length, token_position, document_id FROM context
                ORDER BY feature_index, \(order)
                """), by: { $0[0] as Int })
        let texts = try TokenTexts(old)
        var (count, repaired) = (0, 0)
        for feature in try catalog.features(key) {
            let contexts = try catalog.contexts(key, featureIndex: feature.featureIndex)
            let rows = before[feature.featureIndex] ?? []
            #expect(contexts.count == rows.count)
            for (context, row) in zip(contexts, rows) {
                count += 1
                #expect(
                    try context.activations
                        == SparseActivations.decode(Array(row[2] as Data), windowLength: row[3]))
                let excerpt: String = row[1]
                if context.excerpt == excerpt { continue }
                // Only where tokens are parts of characters, which are whole now: the peak's, and those at the ends.
                repaired += 1
                let (before, peak, after) = texts.parts(of: context)
                #expect(excerpt.unicodeScalars.contains("\u{FFFD}"))
                let parts = context.excerpt.split(separator: "«", omittingEmptySubsequences: false)
                let rest = (parts.last ?? "").split(separator: "»", omittingEmptySubsequences: false)
                try #require(parts.count == 2 && rest.count == 2, "\(context.excerpt)")
                let whole = String(decoding: before + peak + after, as: UTF8.self).unicodeScalars
                let inner = whole.drop { $0 == "\u{FFFD}" }.reversed().drop { $0 == "\u{FFFD}" }.reversed()
                let plain = Array((String(parts[0]) + rest[0] + rest[1]).unicodeScalars)
                let place = try #require(
                    plain.indices.first { plain[$0...].starts(with: inner) }, "\(context.excerpt), \(excerpt)")
                // Beyond what the window's tokens have whole, a character at either end.
                #expect(place <= 1 && plain.count - place - inner.count <= 1, "\(context.excerpt), \(excerpt)")
                if let character = String(validating: peak, as: UTF8.self) {
                    #expect(rest[0] == character)
                } else {
                    #expect(rest[0].unicodeScalars.count == 1 && rest[0].utf8.count > 1, "\(context.excerpt)")
                }
            }
        }
        #expect(count == 298 && (1..<100).contains(repaired))
    }

    /// The bytes of the old file's tokens.
    private struct TokenTexts {
        private var bytes: [Int: [UInt8]] = [:]
        private var documents: [Int64: [UInt8]] = [:]

        init(_ path: String) throws {
            let queue = try DatabaseQueue(path: path)
            let (tokens, texts) = try queue.read { database in
                (
                    try Row.fetchAll(database, sql: "SELECT token_id, ifnull(bytes, CAST(text AS BLOB)) FROM token"),
                    try Row.fetchAll(database, sql: "SELECT document_id, token_ids FROM document")
                )
            }
            try queue.close()
            for token in tokens { bytes[token[0]] = Array(token[1] as Data) }
            for text in texts {
                documents[text[0]] = try Zstd.decompress(Array(text[1] as Data), limit: 1 << 20)
            }
        }

        /// A window's bytes before its peak token, of it, and after it.
        func parts(of context: ContextRecord) -> ([UInt8], [UInt8], [UInt8]) {
            let ids = documents[context.documentID] ?? []
            func text(_ range: Range<Int>) -> [UInt8] {
                range.flatMap { place in
                    bytes[(0..<4).reduce(0) { $0 | Int(ids[4 * place + $1]) << (8 * $1) }] ?? []
                }
            }

            let end = context.windowStart + context.activations.count
            return (
                text(context.windowStart..<context.tokenPosition),
                text(context.tokenPosition..<context.tokenPosition + 1), text(context.tokenPosition + 1..<end)
            )
        }
    }

    @Test func textIsFoundAgain() throws {
        try Catalog.migrate(at: path)
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { database in
            for table in ["passage_text", "explanation_text"] {
                try database.execute(sql: "INSERT INTO \(table) (\(table), rank) VALUES ('integrity-check', 1)")
            }
        }
        try queue.close()
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        // Every word of some passages leads to features that have a context there which is not quiet.
        let words = try rows(old, "SELECT excerpt FROM context WHERE band = 'top' AND rank = 0 AND feature_index < 5")
            .flatMap { row -> [String] in
                let text: String = row[0]
                let words = text.split { !$0.isASCII || !$0.isLetter }.map(String.init)
                return Array(words.dropFirst().dropLast().filter { $0.count > 5 }.prefix(2))
            }
        #expect(words.count >= 4)
        for word in words { #expect(try !catalog.searchContexts("\"\(word)\"").isEmpty, "\(word)") }
        let explanations = try rows(old, "SELECT feature_index, text FROM explanation")
        for explanation in explanations {
            let text: String = explanation[1]
            let parts = text.split { !$0.isASCII || !$0.isLetter }.map(String.init)
            let word = try #require(parts.max { $0.count < $1.count })
            let hits = try catalog.searchExplanations("\"\(word)\"", limit: 100)
            #expect(hits.contains { $0.featureIndex == explanation[0] as Int })
        }
    }

    @Test(
        "A damaged old catalog is left unchanged",
        arguments: [
            "UPDATE context SET activations = x'28b52ffd0000' WHERE context_id = 200",
            "UPDATE context SET activations = (SELECT token_ids FROM document) WHERE context_id = 200",
            "UPDATE context SET activations = x'' WHERE context_id = 1",
            "UPDATE context SET window_start = window_start + 1, window_length = window_length - 1 WHERE context_id = 100",
            "UPDATE document SET token_ids = zeroblob(99)",
            "UPDATE document SET n_tokens = n_tokens + 1",
            "PRAGMA foreign_keys = OFF; DELETE FROM language_model",
            "PRAGMA foreign_keys = OFF; DELETE FROM dictionary",
        ])
    func whatIsDamagedIsLeftAsItIs(sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { database in
            try database.execute(sql: sql)
            #expect(database.totalChangesCount > 0)
        }
        try queue.close()
        let before = try bytes(path)
        expectCatalogError(.damaged, containing: "c.sqlite") { try Catalog.migrate(at: path) }
        #expect(try bytes(path) == before)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() == ["c.sqlite", "old.sqlite"])
    }

    @Test func changedSchemasAreNotMigrated() throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction {
            try $0.execute(sql: "CREATE TRIGGER spy AFTER INSERT ON run BEGIN DELETE FROM review; END")
        }
        try queue.close()
        let before = try bytes(path)
        expectCatalogError(.refused, containing: "spy") { try Catalog.migrate(at: path) }
        #expect(try bytes(path) == before)
    }
}
