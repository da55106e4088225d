import CatalogMigrations
import FeatureCatalog
import Foundation
import GRDB
import TestSupport
import Testing
import Vocabulary

/// Numbers, counts and text that no writer of ours puts into a column.
extension HostileCatalogTests {
    /// Every typed column of every table that is read.
    func columns(of type: String) throws -> [(table: String, column: String)] {
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
    func readWith(_ value: String, in places: [(table: String, column: String)]) throws {
        let start = try Data(contentsOf: URL(filePath: path))
        for (table, column) in places {
            try start.write(to: URL(filePath: path))
            try put(value, into: table, column)
            _ = try read()
        }
    }

    /// Puts a value into a column, of as many rows as constraints allow that even an attacker has to obey: one row if
    /// it has to be unique, or a trigger objects.
    func put(_ value: String, into table: String, _ column: String) throws {
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
}
