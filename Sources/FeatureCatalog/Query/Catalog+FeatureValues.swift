extension Catalog {
    /// A feature's row of the view `feature_summary`, by column; empty where there is none.
    package func featureSummary(
        _ key: IndexingKey, featureIndex: Int
    ) throws(CatalogError) -> [String: CatalogValue] {
        let result = try rows(
            sql: "SELECT * FROM feature_summary WHERE dictionary_id = ? AND feature_index = ? AND corpus_id = ?",
            arguments: [.integer(key.dictionaryID), .integer(Int64(featureIndex)), .integer(key.corpusID)])
        return Dictionary(zip(result.columns, result.rows.first ?? []), uniquingKeysWith: { first, _ in first })
    }

    /// The token class on which each feature fires most, where there is one.
    package func topTokens(_ key: IndexingKey) throws(CatalogError) -> [Int: String] {
        try column("top_token", of: key) { $0.string }
    }

    /// The strongest activation of each feature that fired.
    package func largestActivations(_ key: IndexingKey) throws(CatalogError) -> [Int: Double] {
        try column("max_activation", of: key) { if case .real(let value) = $0 { value } else { nil } }
    }

    /// How often each feature fired.
    package func firedCounts(_ key: IndexingKey) throws(CatalogError) -> [Int: Int] {
        try column("n_fired", of: key) { $0.wholeNumber }
    }

    /// A column of the table `feature`, by feature.
    private func column<Value>(
        _ name: String, of key: IndexingKey, _ value: (CatalogValue) -> Value?
    ) throws(CatalogError) -> [Int: Value] {
        let result = try rows(
            sql: "SELECT feature_index, \(name) FROM feature WHERE dictionary_id = ? AND corpus_id = ?",
            arguments: [.integer(key.dictionaryID), .integer(key.corpusID)])
        return Dictionary(
            result.rows.compactMap { row -> (Int, Value)? in
                row[0].wholeNumber.flatMap { index in value(row[1]).map { (index, $0) } }
            }, uniquingKeysWith: { first, _ in first })
    }
}
