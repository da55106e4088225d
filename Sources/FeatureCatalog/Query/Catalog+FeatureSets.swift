extension Catalog {
    /// The features of a dictionary that fired on any corpus.
    package func firingFeatures(dictionaryID: Int64) throws(CatalogError) -> Set<Int> {
        Set(
            try indexes(
                "SELECT DISTINCT feature_index FROM feature WHERE dictionary_id = ? AND n_fired > 0",
                [.integer(dictionaryID)]))
    }

    /// The features that fired, ascending.
    package func firingFeatures(_ key: IndexingKey) throws(CatalogError) -> [Int] {
        try features(key, where: "n_fired > 0")
    }

    /// The features that have an explanation, ascending.
    package func explainedFeatures(_ key: IndexingKey) throws(CatalogError) -> [Int] {
        try features(key, where: "explanation_id IS NOT NULL")
    }

    /// The features that a run scored, ascending.
    package func scoredFeatures(runID: Int64) throws(CatalogError) -> [Int] {
        try indexes(
            "SELECT DISTINCT feature_index FROM score WHERE run_id = ? ORDER BY feature_index", [.integer(runID)])
    }

    /// The features with a simulation score of at least so much, by whatever explanation and on whatever corpus; nil where
    /// none of the dictionary's features was scored.
    package func wellExplainedFeatures(
        dictionaryID: Int64, minScore: Double
    ) throws(CatalogError) -> Set<Int>? {
        let scored = "FROM score WHERE dictionary_id = ? AND method = 'simulation' AND status <> 'failed'"
        guard try !indexes("SELECT feature_index \(scored) LIMIT 1", [.integer(dictionaryID)]).isEmpty else {
            return nil
        }
        return Set(
            try indexes(
                "SELECT DISTINCT feature_index \(scored) AND value >= ?", [.integer(dictionaryID), .real(minScore)]))
    }

    /// The features that a reviewer judged.
    package func reviewedFeatures(dictionaryID: Int64, reviewer: String) throws(CatalogError) -> Set<Int> {
        Set(
            try indexes(
                "SELECT DISTINCT feature_index FROM review WHERE dictionary_id = ? AND reviewer = ?",
                [.integer(dictionaryID), .text(reviewer)]))
    }

    /// How many features fired `minimumFirings` times or more, by the layer in which they fire most; nil where none is
    /// known.
    package func featureCounts(
        _ key: IndexingKey, minimumFirings: Int
    ) throws(CatalogError) -> [Int?: Int] {
        let result = try rows(
            sql: """
                SELECT peak_layer, count(*) FROM feature
                WHERE dictionary_id = ? AND corpus_id = ? AND n_fired >= ? GROUP BY peak_layer
                """,
            arguments: [.integer(key.dictionaryID), .integer(key.corpusID), .integer(Int64(minimumFirings))])
        return Dictionary(
            result.rows.compactMap { row in row[1].wholeNumber.map { (row[0].wholeNumber, $0) } },
            uniquingKeysWith: +)
    }

    private func features(_ key: IndexingKey, where condition: String) throws(CatalogError) -> [Int] {
        try indexes(
            """
            SELECT feature_index FROM feature
            WHERE dictionary_id = ? AND corpus_id = ? AND \(condition) ORDER BY feature_index
            """,
            [.integer(key.dictionaryID), .integer(key.corpusID)])
    }

    private func indexes(_ sql: String, _ arguments: [CatalogValue]) throws(CatalogError) -> [Int] {
        FeatureListing.numbers(try rows(sql: sql, arguments: arguments))
    }
}
