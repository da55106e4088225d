extension Catalog {
    /// Features by the number of layers with at least a tenth of their firings each.
    ///
    /// - Returns: By the number of layers, ascending.
    package func layerSpans(
        _ key: IndexingKey
    ) throws(CatalogError) -> [(layerCount: Int, featureCount: Int)] {
        try rows(
            sql: """
                WITH spans AS (
                    SELECT f.feature_index, count(*) AS n_layers
                    FROM feature AS f JOIN feature_layer AS l USING (dictionary_id, corpus_id, feature_index)
                    WHERE f.dictionary_id = ? AND f.corpus_id = ? AND l.n_fired * 10 >= f.n_fired AND l.n_fired > 0
                    GROUP BY f.feature_index
                )
                SELECT n_layers, count(*) FROM spans GROUP BY n_layers ORDER BY n_layers
                """,
            arguments: [.integer(key.dictionaryID), .integer(key.corpusID)]
        ).rows.compactMap { row in
            row[0].wholeNumber.flatMap { layers in row[1].wholeNumber.map { (layers, $0) } }
        }
    }

    /// The last layer in which `count` features or more peak that fire on less than a share of all tokens.
    package func lastPeakLayer(
        _ key: IndexingKey, firingRateBelow rate: Double, count: Int
    ) throws(CatalogError) -> Int? {
        // With the '+', SQLite goes by the firing rate and not along the index of all layers.
        try rows(
            sql: """
                SELECT +peak_layer AS layer FROM feature WHERE dictionary_id = ? AND corpus_id = ? AND firing_rate < ?
                GROUP BY layer HAVING count(*) >= ? ORDER BY layer DESC LIMIT 1
                """,
            arguments: [.integer(key.dictionaryID), .integer(key.corpusID), .real(rate), .integer(Int64(count))]
        ).rows.first?.first?.wholeNumber
    }
}
