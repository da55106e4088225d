import FeatureCatalog
import GRDB
import TestSupport
import Testing

/// Constraints on contexts that the database itself enforces.
@Suite struct ContextConstraintTests {
    private let directory: TemporaryDirectory
    private let queue: DatabaseQueue

    init() throws {
        directory = try TemporaryDirectory()
        let sample = try SampleCatalog(at: directory.file("a.catalog"))
        let other = try sample.addCorpus(named: "other")
        try sample.writeIndex(sample.entries(of: other), sample.indexing(of: other.corpusID))
        try sample.catalog.close()
        queue = try DatabaseQueue(path: sample.catalog.path)
        // Of feature 0: passage 1 explains, passage 2 scores, passage 3 does neither.
        try queue.write { database in
            try database.execute(sql: "DELETE FROM feature_context")
            for (rank, passage, split) in [(0, 1, 0), (1, 2, 1), (2, 3, nil)] as [(Int, Int, Int?)] {
                try insert(database, rank: rank, passage: passage, position: 5, split: split)
            }
        }
    }

    private func insert(
        _ database: Database, feature: Int = 0, corpus: Int = 1, band: Int = 0, rank: Int, passage: Int, position: Int,
        split: Int?, activation: Double = 1
    ) throws {
        try database.execute(
            sql: """
                INSERT INTO feature_context (dictionary_id, feature_index, corpus_id, band, rank, passage_id, position,
                    layer, activation, split)
                VALUES (1, ?, ?, ?, ?, ?, ?, 2, ?, ?)
                """, arguments: [feature, corpus, band, rank, passage, position, activation, split])
    }

    /// Expects SQLite to refuse, and all rows to be unchanged.
    private func expectRefusal(
        _ reason: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: (Database) throws -> Void
    ) throws {
        func all() throws -> [Row] { try queue.read { try Row.fetchAll($0, sql: "SELECT * FROM feature_context") } }
        let before = try all()
        do {
            try queue.write(body)
            Issue.record("not refused", sourceLocation: sourceLocation)
        } catch let error as DatabaseError {
            #expect(error.resultCode == .SQLITE_CONSTRAINT, sourceLocation: sourceLocation)
            #expect(error.message?.contains(reason) == true, "\(error)", sourceLocation: sourceLocation)
        }
        #expect(try all() == before, sourceLocation: sourceLocation)
    }

    @Test("Splits do not share a passage") func splitsDoNotShareAPassage() throws {
        try expectRefusal("share a stretch") { try insert($0, rank: 9, passage: 1, position: 19, split: 1) }
        try expectRefusal("share a stretch") { try insert($0, rank: 9, passage: 2, position: 0, split: 0) }
        try expectRefusal("share a stretch") {
            try insert($0, band: 2, rank: 9, passage: 2, position: 0, split: 0, activation: 0)
        }
        // The same split, none, another feature, and another corpus's index may.
        try queue.write { database in
            try insert(database, rank: 10, passage: 1, position: 19, split: 0)
            try insert(database, rank: 11, passage: 1, position: 18, split: nil)
            try insert(database, rank: 12, passage: 3, position: 18, split: 1)
            try insert(database, feature: 1, rank: 0, passage: 1, position: 5, split: 1)
            try insert(database, corpus: 2, rank: 0, passage: 1, position: 5, split: 1)
        }
        // Now passage 3 scores, whatever the context without a split that was there first.
        try expectRefusal("share a stretch") { try insert($0, rank: 13, passage: 3, position: 1, split: 0) }
    }

    @Test("An update cannot make splits share a passage") func norByAnUpdate() throws {
        try queue.write { database in
            try insert(database, rank: 3, passage: 1, position: 9, split: 0)
            try insert(database, feature: 1, rank: 0, passage: 1, position: 5, split: 1)
            try insert(database, corpus: 2, rank: 7, passage: 1, position: 15, split: 1)
        }
        for change in [
            "split = 1 WHERE rank = 3", "passage_id = 2 WHERE rank = 3",
            "passage_id = 1, position = 11 WHERE rank = 1 AND corpus_id = 1",
            "feature_index = 0, rank = 8, position = 7 WHERE feature_index = 1", "corpus_id = 1 WHERE corpus_id = 2",
        ] {
            try expectRefusal("share a stretch") { try $0.execute(sql: "UPDATE feature_context SET \(change)") }
        }
        // Nor by what has the same place in another feature's bands.
        try queue.write { try $0.execute(sql: "DELETE FROM feature_context WHERE rank = 3") }
        try expectRefusal("share a stretch") {
            try $0.execute(
                sql: "UPDATE feature_context SET feature_index = 0, rank = 8, position = 7 WHERE feature_index = 1")
        }
        try queue.write { try insert($0, rank: 3, passage: 1, position: 9, split: 0) }
        // What changes nothing of that is let through, and so is a context on its own.
        try queue.write { database in
            for change in [
                "split = 0 WHERE rank = 3", "split = NULL WHERE rank = 3", "split = 1 WHERE rank = 2",
                "split = split, position = position", "passage_id = 4 WHERE rank = 1",
            ] { try database.execute(sql: "UPDATE feature_context SET \(change)") }
        }
    }

    @Test("A position is held once") func aPlaceIsHeldOnce() throws {
        for split in [0, nil] {
            try expectRefusal("two contexts of one token") {
                try insert($0, rank: 9, passage: 1, position: 5, split: split)
            }
        }
        try expectRefusal("two contexts of one token") {
            try insert($0, band: 1, rank: 0, passage: 3, position: 5, split: nil)
        }
        try queue.write { try insert($0, rank: 9, passage: 1, position: 6, split: 0) }
        try expectRefusal("two contexts of one token") {
            try $0.execute(sql: "UPDATE feature_context SET position = 5 WHERE rank = 9")
        }
        try expectRefusal("two contexts of one token") {
            try $0.execute(sql: "UPDATE feature_context SET passage_id = 1, split = NULL WHERE rank = 2")
        }
        try queue.write { database in
            try insert(database, feature: 1, rank: 0, passage: 1, position: 5, split: 0)
            try insert(database, corpus: 2, rank: 0, passage: 1, position: 5, split: 0)
        }
        for change in [
            "feature_index = 0, rank = 8 WHERE feature_index = 1", "corpus_id = 1, rank = 8 WHERE corpus_id = 2",
        ] {
            try expectRefusal("two contexts of one token") {
                try $0.execute(sql: "UPDATE feature_context SET \(change)")
            }
        }
        // A band's place is held once as well.
        try expectRefusal("UNIQUE") { try insert($0, rank: 0, passage: 4, position: 5, split: 0) }
    }

    @Test("Numbers stay within their bounds") func numbersStayWithinTheirBounds() throws {
        try expectRefusal("CHECK") { try insert($0, band: 3, rank: 0, passage: 4, position: 0, split: nil) }
        try expectRefusal("CHECK") { try insert($0, band: 2, rank: 0, passage: 4, position: 0, split: nil) }
        try expectRefusal("CHECK") { try insert($0, rank: 16384, passage: 4, position: 0, split: nil) }
        try expectRefusal("CHECK") { try insert($0, rank: 9, passage: 4, position: -1, split: nil) }
        try expectRefusal("CHECK") { try insert($0, rank: 9, passage: 4, position: 0, split: 2) }
        try expectRefusal("FOREIGN KEY") { try insert($0, rank: 9, passage: 999, position: 0, split: nil) }
        try expectRefusal("FOREIGN KEY") { try insert($0, feature: 40, rank: 9, passage: 4, position: 0, split: nil) }
        try expectRefusal("FOREIGN KEY") { try $0.execute(sql: "DELETE FROM passage WHERE passage_id = 1") }
        // The largest place of all has a number of its own.
        try queue.write { try insert($0, band: 1, rank: 16383, passage: 4, position: 0, split: nil) }
        let numbers = try queue.read {
            try Int64.fetchAll($0, sql: "SELECT context_id FROM context WHERE passage_id = 4")
        }
        #expect(numbers == [(1 << 10 | 1) << 40 | 1 << 14 | 16383])
    }
}
