extension Catalog {
    /// The texts of some passages.
    package func passageTexts(limit: Int) throws(CatalogError) -> [String] {
        try rows(sql: "SELECT text FROM passage LIMIT ?", arguments: [.integer(Int64(limit))]).rows
            .compactMap { $0[0].string }
    }

    /// The token class on which the most features fire most, or the fewest.
    package func topToken(_ key: IndexingKey, isRarest: Bool = false) throws(CatalogError) -> String? {
        try rows(
            sql: """
                SELECT top_token FROM feature WHERE dictionary_id = ? AND corpus_id = ?
                GROUP BY 1 ORDER BY count(*) \(isRarest ? "ASC" : "DESC") LIMIT 1
                """,
            arguments: [.integer(key.dictionaryID), .integer(key.corpusID)]
        ).rows.first?.first?.string
    }
}
