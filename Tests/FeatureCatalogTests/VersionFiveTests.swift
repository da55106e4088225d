import CatalogMigrations
import FeatureCatalog
import Foundation
import GRDB
import TestSupport
import Testing

/// A catalog of version 5, in which a context's activations were in a blob with those of its feature's other contexts,
/// some compressed with a zstd dictionary.
@Suite struct VersionFiveTests {
    private let catalog: ThawedCatalog
    private var old: String { catalog.old }
    private var path: String { catalog.path }

    init() throws { catalog = try ThawedCatalog(.five) }

    private func rows(_ file: String, _ sql: String) throws -> [Row] { try catalog.rows(file, sql) }

    private func execute(_ sql: String) throws { try catalog.execute(sql) }

    @Test("Every row of every table and view survives migrating")
    func everyRowOfEveryTableAndViewIsFoundAgain() throws {
        #expect(try Catalog.migrate(at: path) == 5)
        let names = try rows(
            old,
            """
            SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view')
                AND name NOT LIKE 'sqlite%' AND name NOT IN ('context_activations', 'zstd_dictionary')
            """
        ).map { $0[0] as String }
        #expect(names.count == 34)
        for name in names {
            let columns = try rows(old, "SELECT name FROM pragma_table_info('\(name)')").map { $0[0] as String }
                .filter { name != "context" || $0 != "activations" }
                .map { "\"\($0)\"" }.joined(separator: ", ")
            let sql = "SELECT \(columns) FROM \(name) ORDER BY \(columns)"
            let (before, after) = (try rows(old, sql), try rows(path, sql))
            #expect(!before.isEmpty || name == "review_pair", "\(name)")
            #expect(before.count == after.count, "\(name)")
            for (one, other) in zip(before, after) {
                #expect(
                    Array(one.databaseValues) == Array(other.databaseValues), "\(name): \(one), \(other)")
            }
        }
        #expect(try rows(path, "SELECT count(*) FROM review_pair").first?[0] == 4)
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        #expect(try catalog.verify() == [])
    }

    @Test("Migrated activations equal those of the blobs") func activationsAreThoseOfTheBlobs() throws {
        let dictionary = try ZstdDictionary(
            content: Array(#require(try rows(old, "SELECT content FROM zstd_dictionary").first)[0] as Data))
        let before = try rows(
            old, "SELECT dictionary_id, corpus_id, feature_index, \"values\" FROM context_activations")
        try Catalog.migrate(at: path)
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        var (count, others) = (0, 0)
        for row in before {
            let contexts = try catalog.contexts(
                IndexingKey(dictionaryID: row[0], corpusID: row[1]), featureIndex: row[2])
            let blob = try FormerActivations.decode(
                Zstd.decompress(Array(row[3] as Data), limit: 1 << 20, dictionary: dictionary))
            #expect(contexts.count == blob.count)
            for (context, expected) in zip(contexts, blob) {
                count += 1
                others += expected.count
                var window = [Float](repeating: 0, count: context.activations.count)
                for (place, activation) in expected { window[place] = activation }
                #expect(context.activations == window)
            }
        }
        #expect(count == 2011 && others > 2011)
    }

    @Test("The view gives the same activations as JSON") func theViewSaysTheSameAsJSON() throws {
        try Catalog.migrate(at: path)
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        let key = IndexingKey(dictionaryID: 1, corpusID: 1)
        for feature in [0, 7, 31] {
            let contexts = try catalog.contexts(key, featureIndex: feature)
            let texts = try rows(
                path,
                """
                SELECT activations FROM context WHERE dictionary_id = 1 AND corpus_id = 1 AND feature_index = \(feature)
                ORDER BY CASE band WHEN 'top' THEN 0 WHEN 'sample' THEN 1 ELSE 2 END, rank
                """)
            #expect(contexts.count == texts.count && !texts.isEmpty)
            for (context, row) in zip(contexts, texts) {
                let object = try #require(
                    try JSONSerialization.jsonObject(with: Data((row[0] as String).utf8)) as? [String: Double])
                var window = [Float](repeating: 0, count: context.activations.count)
                for (place, value) in object { window[try #require(Int(place))] = Float(value) }
                #expect(window == context.activations)
            }
        }
    }

    @Test(
        "A damaged old catalog is left unchanged",
        arguments: [
            "DELETE FROM context_activations WHERE feature_index = 3",
            "UPDATE context_activations SET \"values\" = x'28b52ffd0000' WHERE feature_index = 3",
            "UPDATE context_activations SET \"values\" = (SELECT token_ids FROM document) WHERE feature_index = 3",
            """
            UPDATE context_activations SET "values" = (SELECT "values" FROM context_activations WHERE feature_index = 6)
            WHERE feature_index = 5
            """,
            "DELETE FROM zstd_dictionary", "UPDATE zstd_dictionary SET content = zeroblob(300)",
            "UPDATE zstd_dictionary SET content = x''",
            "UPDATE feature_context SET activation = activation + 1 WHERE band = 0 AND feature_index = 3",
            "UPDATE feature_context SET position = position + 100000 WHERE feature_index = 3",
            "UPDATE indexing SET window = 9223372036854775807 WHERE corpus_id = 1",
            "DELETE FROM feature_context WHERE feature_index = 3 AND rank = 0 AND band = 0",
            "DELETE FROM passage WHERE passage_id = 1",
        ])
    func whatIsDamagedIsLeftAsItIs(sql: String) throws {
        try execute(sql)
        let before = try Data(contentsOf: URL(filePath: path))
        expectCatalogError(.damaged, containing: "c.sqlite") { try Catalog.migrate(at: path) }
        #expect(try Data(contentsOf: URL(filePath: path)) == before)
    }
}
