/// A feature that can be drawn for a sample.
package struct FeatureCandidate: Sendable {
    /// The latent's number.
    package let featureIndex: Int
    /// Its firings as a fraction of all tokens.
    package let firingRate: Double
    /// The layer in which it fires most; nil where none is known.
    package let peakLayer: Int?
}

extension Catalog {
    /// The features that fired often enough and meet conditions, ascending.
    ///
    /// - Parameters:
    ///   - key: The dictionary and the corpus.
    ///   - minimumFirings: How often they have to have fired.
    ///   - conditions: All of these hold.
    package func candidates(
        _ key: IndexingKey, minimumFirings: Int, conditions: [FeatureCondition]
    ) throws(CatalogError) -> [FeatureCandidate] {
        let filter = ["dictionary_id = ?", "corpus_id = ?", "n_fired >= ?"] + conditions.map(\.sql)
        let result = try rows(
            sql: """
                SELECT feature_index, firing_rate, peak_layer FROM feature_summary
                WHERE \(filter.joined(separator: " AND ")) ORDER BY feature_index
                """,
            arguments: [.integer(key.dictionaryID), .integer(key.corpusID), .integer(Int64(minimumFirings))]
                + conditions.map(\.value))
        return result.rows.compactMap { row in
            guard let index = row[0].wholeNumber, case .real(let rate) = row[1] else { return nil }
            return FeatureCandidate(featureIndex: index, firingRate: rate, peakLayer: row[2].wholeNumber)
        }
    }
}
