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
        let sql = """
            SELECT s.feature_index, s.value, s.baseline_value, s.run_id, x.method, \(withPeakLayers ? layer : "NULL")
            FROM score AS s LEFT JOIN explanation AS x ON x.explanation_id = s.explanation_id
            WHERE s.dictionary_id = \(key.dictionaryID) AND s.corpus_id = \(key.corpusID)
                AND s.method = '\(method.rawValue)' AND s.status <> 'failed'
            ORDER BY s.score_id
            """
        return try read { database in
            let rows = try BulkRead(database, path: path, sql: sql)
            var scores: [BriefScore] = []
            while try rows.next() {
                scores.append(
                    BriefScore(
                        featureIndex: try rows.integer(0), value: try rows.optionalReal(1),
                        chance: try rows.optionalReal(2), peakLayer: try rows.optionalInteger(5),
                        runID: Int64(try rows.integer(3)), explainer: try rows.optionalText(4)))
            }
            return scores
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
