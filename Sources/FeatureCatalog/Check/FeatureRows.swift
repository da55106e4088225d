import GRDB

/// Rows that belong to features, in the order of dictionary, feature and corpus, which are their first three columns:
/// walked beside the features themselves.
final class FeatureRows {
    struct Key: Comparable {
        let dictionary: Int
        let feature: Int
        let corpus: Int

        static func < (one: Key, two: Key) -> Bool {
            (one.dictionary, one.feature, one.corpus) < (two.dictionary, two.feature, two.corpus)
        }
    }

    let table: String
    let rows: BulkRead
    /// Rows passed that belong to no feature.
    private(set) var orphanCount = 0
    private var key: Key?

    init(_ table: String, _ columns: String, order: String, _ inspection: CatalogInspection) throws {
        self.table = table
        rows = try inspection.read(
            """
            SELECT dictionary_id, feature_index, corpus_id, \(columns) FROM \(table)
            ORDER BY dictionary_id, feature_index, corpus_id, \(order)
            """)
        try advance()
    }

    /// Calls `body` once for every row of a feature; the row is in `rows`. Features have to come in ascending order.
    func forEach(of feature: Key, _ body: (BulkRead) throws -> Void) throws {
        while let key, key < feature {
            orphanCount += 1
            try advance()
        }
        while key == feature {
            try body(rows)
            try advance()
        }
    }

    /// Counts the remaining rows, which belong to no feature.
    func finish() throws {
        while key != nil {
            orphanCount += 1
            try advance()
        }
    }

    private func advance() throws {
        key =
            try rows.next()
            ? Key(dictionary: rows.integer(0), feature: rows.integer(1), corpus: rows.integer(2)) : nil
    }
}
