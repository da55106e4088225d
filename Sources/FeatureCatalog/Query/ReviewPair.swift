package import Vocabulary

/// A review of a feature beside its automatic scores (a row of the view `review_pair`).
package struct ReviewPair: Equatable, Sendable {
    /// The verdict.
    package let verdict: Double?
    /// The scores that the feature has, by method.
    package let scores: [ScoreMethod: Double]
}

extension Catalog {
    /// All verdicts on features of an index, by feature and reviewer.
    package func reviewPairs(_ key: IndexingKey) throws(CatalogError) -> [ReviewPair] {
        try rows(
            sql: """
                SELECT verdict, \(ScoreMethod.allCases.map { $0.rawValue + "_score" }.joined(separator: ", "))
                FROM review_pair
                WHERE dictionary_id = ? AND corpus_id = ? ORDER BY feature_index, reviewer
                """,
            arguments: [.integer(key.dictionaryID), .integer(key.corpusID)]
        ).rows.map { row in
            let scores = zip(ScoreMethod.allCases, row.dropFirst()).compactMap { method, value in
                value.number.map { (method, $0) }
            }
            return ReviewPair(
                verdict: row[0].number, scores: Dictionary(scores, uniquingKeysWith: { first, _ in first }))
        }
    }
}
