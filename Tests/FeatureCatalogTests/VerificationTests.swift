import FeatureCatalog
import Foundation
import GRDB
import TestSupport
import Testing
import Vocabulary

@Suite struct VerificationTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test("A good catalog has no problems") func aGoodCatalogHasNoProblems() throws {
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
        ("UPDATE feature_context SET other_activations = '{' WHERE feature_index = 3", "contexts of feature 3"),
        ("DELETE FROM feature_context WHERE feature_index = 3 AND rank = 2", "feature_context, dictionary_id = 1"),
        ("UPDATE feature_context SET activation = 9 WHERE feature_index = 4 AND band = 1", "feature_context"),
        ("UPDATE feature_context SET position = 20 WHERE feature_index = 4 AND band = 1 AND rank = 0", "feature 4"),
        ("UPDATE indexing SET window = 17", "contexts of feature 0"),
        ("UPDATE passage SET n_tokens = 21 WHERE passage_id = 3", "passage 3"),
        ("UPDATE passage SET first_token = 181 WHERE passage_id = 3", "passage 3: it reaches beyond"),
        ("UPDATE passage SET text = text || 'x' WHERE passage_id = 3", "passage 3: token_starts"),
        ("UPDATE passage SET token_starts = 'a' || substr(token_starts, 2) WHERE passage_id = 3", "passage 3"),
        ("UPDATE passage SET token_starts = '9' || substr(token_starts, 2) WHERE passage_id = 3", "passage 3"),
        ("UPDATE feature SET counted_from = 1 WHERE feature_index = 3", "feature 3"),
        ("UPDATE feature SET counted_below = NULL WHERE feature_index = 3", "feature 3"),
        ("UPDATE feature SET layer_entropy = layer_entropy + 1e-9 WHERE feature_index = 3", "feature 3"),
        ("UPDATE feature SET explanation_id = NULL WHERE feature_index = 5", "feature 5"),
        ("UPDATE feature SET simulation_score = 0.5 WHERE feature_index = 5", "feature 5"),
        ("UPDATE feature SET simulation_baseline = 0.5 WHERE feature_index = 5", "feature 5"),
        ("UPDATE feature SET detection_score = 0.5 WHERE feature_index = 5", "feature 5"),
        ("UPDATE feature SET fuzzing_score = 0.5 WHERE feature_index = 5", "feature 5"),
        ("UPDATE feature SET rubric_score = 0.5 WHERE feature_index = 5", "feature 5"),
        ("UPDATE feature SET simulation_score = 0.5 WHERE feature_index = 6", "feature 6"),
        ("UPDATE feature SET explanation_id = 7 WHERE feature_index = 9", "feature 9"),
        ("UPDATE indexing SET n_alive = 35", "n_alive"), ("UPDATE indexing SET n_contexts = 35", "n_contexts"),
        ("DELETE FROM feature WHERE feature_index = 9", "39 features"),
        ("UPDATE feature SET strongest_token = 'x' WHERE feature_index = 8", "feature 8"),
        ("UPDATE feature SET peak_layer = 5 WHERE feature_index = 9", "feature 9"),
        ("UPDATE feature SET firing_rate = 0.5 WHERE feature_index = 8", "feature 8"),
        ("UPDATE feature SET top_token = 'x' WHERE feature_index = 8", "feature 8"),
        ("UPDATE run SET config = '{' WHERE run_id = 1", "run.config"),
        ("PRAGMA foreign_keys = OFF; DELETE FROM language_model", "language_model"),
    ])
    func problemsAreFound(sql: String, reason: String) throws {
        let path = directory.file("a.catalog")
        let sample = try SampleCatalog(at: path)
        let keys = try sample.catalog.write(explanations: [
            ExplanationRecord(
                runID: sample.trainRunID, dictionaryID: sample.dictionaryID, featureIndex: 5,
                corpusID: sample.corpusID, method: "n2g", text: "kings")
        ])
        try sample.catalog.write(
            scores: ScoreMethod.allCases.map {
                ScoreRecord(
                    runID: sample.trainRunID, dictionaryID: sample.dictionaryID, featureIndex: 5,
                    corpusID: sample.corpusID, explanationID: keys[0], method: $0, status: .ok, value: 0.25,
                    baselineValue: 0.125, contextCount: 1, tokenCount: 1)
            })
        #expect(try sample.catalog.verify() == [])
        try sample.catalog.close()
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
        // The first page of a table, with its cells shuffled.
        let queue = try DatabaseQueue(path: path)
        let root = try #require(
            try queue.read { try Int.fetchOne($0, sql: "SELECT rootpage FROM sqlite_schema WHERE name = 'document'") })
        try queue.close()
        for index in (root - 1) * 8192..<root * 8192 { bytes[index] = UInt8(truncatingIfNeeded: index &* 31) }
        try Data(bytes).write(to: URL(filePath: path))
        #expect(try !Catalog.open(at: path, mode: .readOnly).verify().isEmpty)
    }

    @Test("Wrong types in another program's file are errors") func wrongTypesOfAForeignFileAreErrors() throws {
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
