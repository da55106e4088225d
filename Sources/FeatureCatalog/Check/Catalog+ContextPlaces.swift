import GRDB

extension Catalog {
    /// Keys by which contexts of an index can be drawn: feature, band and rank of every context in the table's order.
    ///
    /// - Parameter numbers: Which contexts, counted in the table's order, ascending.
    package func contextFeatures(_ key: IndexingKey, numbers: [Int]) throws(CatalogError) -> [(
        feature: Int, place: Int
    )] {
        try read { database in
            var found: [(feature: Int, place: Int)] = []
            var next = 0
            var wanted = numbers[...]
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT feature_index, count(*) FROM feature_context
                    WHERE dictionary_id = ? AND corpus_id = ? GROUP BY feature_index ORDER BY feature_index
                    """,
                arguments: [key.dictionaryID, key.corpusID])
            while !wanted.isEmpty, let row = try rows.next() {
                let (feature, count): (Int, Int) = (try row.value(0), try row.value(1))
                guard count > 0, count <= OtherActivations.maximumContextCount else { continue }
                while let number = wanted.first, number < next + count {
                    found.append((feature, number - next))
                    wanted = wanted.dropFirst()
                }
                next += count
            }
            return found
        }
    }

    /// How many contexts an index has.
    package func contextCount(_ key: IndexingKey) throws(CatalogError) -> Int {
        try read { database in
            try Int.fetchOne(
                database,
                sql: "SELECT count(*) FROM feature_context WHERE dictionary_id = ? AND corpus_id = ?",
                arguments: [key.dictionaryID, key.corpusID]) ?? 0
        }
    }

    /// The passages and positions of an index's contexts.
    package func forEachContextPlace(
        _ key: IndexingKey, _ body: (_ passageID: Int64, _ position: Int) -> Void
    ) throws(CatalogError) {
        try read { database in
            let rows = try Row.fetchCursor(
                database,
                sql: "SELECT passage_id, position FROM feature_context WHERE dictionary_id = ? AND corpus_id = ?",
                arguments: [key.dictionaryID, key.corpusID])
            while let row = try rows.next() { body(try row.value(0), try row.value(1)) }
        }
    }
}
