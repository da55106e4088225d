package import Vocabulary

/// The fields of a score that statistics need.
package struct BriefScore: Equatable, Sendable {
    /// The latent's number.
    package let featureIndex: Int
    /// The score; nil where it is undefined.
    package let value: Double?
    /// The baseline: the score of a wrong explanation; nil if unknown.
    package let chance: Double?
    /// The layer in which the feature fires most; nil if unknown or not requested.
    package let peakLayer: Int?
    /// The run that gave it.
    package let runID: Int64
    /// The method of the explanation that was scored; nil for a score of the feature itself.
    package let explainer: String?
}

extension Catalog {
    /// All scores that did not fail, oldest first.
    ///
    /// - Parameters:
    ///   - key: The dictionary and the corpus.
    ///   - method: Which scores.
    ///   - withPeakLayers: Whether to look up where each feature fires most, which doubles the time.
    package func briefScores(
        _ key: IndexingKey, method: ScoreMethod, withPeakLayers: Bool
    ) throws(CatalogError) -> [BriefScore] {
        let layer = """
            (SELECT f.peak_layer FROM feature AS f WHERE f.dictionary_id = s.dictionary_id
                AND f.feature_index = s.feature_index AND f.corpus_id = s.corpus_id)
            """
        return try rows(
            sql: """
                SELECT s.feature_index, s.value, s.baseline_value, \(withPeakLayers ? layer : "NULL"), s.run_id, x.method
                FROM score AS s LEFT JOIN explanation AS x ON x.explanation_id = s.explanation_id
                WHERE s.dictionary_id = ?1 AND s.corpus_id = ?2 AND s.method = ?3 AND s.status <> 'failed'
                ORDER BY s.score_id
                """,
            arguments: [.integer(key.dictionaryID), .integer(key.corpusID), .text(method.rawValue)]
        ).rows.compactMap { row in
            guard let feature = row[0].wholeNumber, case .integer(let runID) = row[4] else { return nil }
            return BriefScore(
                featureIndex: feature, value: row[1].number, chance: row[2].number, peakLayer: row[3].wholeNumber,
                runID: runID, explainer: row[5].string)
        }
    }

    /// The baseline scores of a run, the first that it wrote.
    package func chanceScores(
        runID: Int64, dictionaryID: Int64, method: ScoreMethod, limit: Int
    ) throws(CatalogError) -> [Double] {
        try rows(
            sql: """
                SELECT baseline_value FROM score
                WHERE run_id = ? AND dictionary_id = ? AND method = ? AND baseline_value IS NOT NULL
                LIMIT ?
                """,
            arguments: [
                .integer(runID), .integer(dictionaryID), .text(method.rawValue), .integer(Int64(limit)),
            ]
        ).rows.compactMap { $0[0].number }
    }
}
