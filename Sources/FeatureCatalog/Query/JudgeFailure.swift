/// A judge's score that failed, or whose baseline failed.
package struct JudgeFailure: Equatable, Sendable {
    /// The run that asked.
    package let runID: Int64
    /// The latent's number.
    package let featureIndex: Int
    /// The corpus whose contexts were shown.
    package let corpusID: Int64
}

extension Catalog {
    /// Failures of a dictionary without a later score of the same feature and test by the same judge, those
    /// of the newest run first, by feature.
    package func judgeFailures(dictionaryID: Int64) throws(CatalogError) -> [JudgeFailure] {
        try rows(
            sql: """
                SELECT s.run_id, s.feature_index, s.corpus_id FROM score AS s JOIN run AS r USING (run_id)
                WHERE s.dictionary_id = ?1 AND json_valid(r.config) AND r.config ->> '$.judge.llm' IS NOT NULL
                    AND (s.status = 'failed' OR iif(json_valid(s.metrics), s.metrics ->> '$.chance_failed', 0) = 1)
                    AND NOT EXISTS (
                        SELECT 1 FROM score AS o JOIN run AS q USING (run_id)
                        WHERE o.dictionary_id = s.dictionary_id AND o.feature_index = s.feature_index
                            AND o.corpus_id = s.corpus_id AND o.method = s.method AND o.score_id > s.score_id
                            AND json_valid(q.config)
                            AND q.config ->> '$.judge.llm' = r.config ->> '$.judge.llm'
                            AND q.config ->> '$.judge.explanations' IS r.config ->> '$.judge.explanations'
                            AND q.config ->> '$.judge.endpoint' = r.config ->> '$.judge.endpoint')
                ORDER BY s.run_id DESC, s.feature_index
                """,
            arguments: [.integer(dictionaryID)]
        ).rows.compactMap { row in
            guard case .integer(let runID) = row[0], let feature = row[1].wholeNumber,
                case .integer(let corpusID) = row[2]
            else { return nil }
            return JudgeFailure(runID: runID, featureIndex: feature, corpusID: corpusID)
        }
    }
}
