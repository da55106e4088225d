import GRDB

extension Catalog {
    /// What full-text search looks through.
    public enum SearchScope: String, CaseIterable, Sendable {
        /// Excerpts of contexts.
        case contexts
        /// Explanations.
        case explanations
    }

    /// Features whose excerpts or explanations match, best first: columns `dictionary`, `feature_index`, `matches`
    /// (how many of its texts match) and `text` (the best of them).
    ///
    /// - Parameters:
    ///   - text: Words that all have to occur, or a phrase in double quotes, or any query in FTS5's language.
    ///   - scope: What to look through.
    ///   - dictionaryID: Only this dictionary's features; nil for all.
    ///   - limit: How many features at most.
    /// - Throws: ``CatalogError`` `.invalidSQL` if FTS5 does not understand the query.
    public func search(
        _ text: String, in scope: SearchScope, dictionaryID: Int64? = nil, limit: Int = 20
    ) throws(CatalogError) -> QueryResult {
        let (index, table, key, column) =
            switch scope {
            case .contexts: ("context_text", "context", "context_id", "excerpt")
            case .explanations: ("explanation_text", "explanation", "explanation_id", "text")
            }
        // With min() alone, SQLite takes the other columns from the row that has the minimum: the best match.
        return try rows(
            sql: """
                SELECT d.name AS dictionary, m.feature_index AS feature_index, m.matches AS matches, m.text AS text
                FROM (
                    SELECT t.dictionary_id, t.feature_index, count(*) AS matches, t.\(column) AS text,
                        min(i.score) AS best
                    FROM (SELECT rowid AS id, rank AS score FROM \(index) WHERE \(index) MATCH ?1) AS i
                    JOIN \(table) AS t ON t.\(key) = i.id
                    WHERE ?2 IS NULL OR t.dictionary_id = ?2
                    GROUP BY t.dictionary_id, t.feature_index
                ) AS m
                JOIN dictionary AS d ON d.dictionary_id = m.dictionary_id
                ORDER BY m.best, m.dictionary_id, m.feature_index LIMIT ?3
                """,
            arguments: [.text(text), dictionaryID.map { .integer($0) } ?? .null, .integer(Int64(limit))])
    }
}
