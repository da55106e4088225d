import GRDB

extension Catalog {
    /// A feature's activations on a corpus in equal bins; nil if it never fired, or in an index of a version that did
    /// not keep them.
    ///
    /// - Throws: ``CatalogError`` `.damaged` for a row that is no histogram.
    package func linearHistogram(
        _ key: IndexingKey, featureIndex: Int
    ) throws(CatalogError) -> LinearHistogram? {
        try read { database in
            try Row.fetchOne(
                database,
                sql: """
                    SELECT bin_width, first_bin, counts FROM feature_linear_histogram
                    WHERE dictionary_id = ? AND feature_index = ? AND corpus_id = ?
                    """,
                arguments: [key.dictionaryID, featureIndex, key.corpusID]
            ).map { try histogram($0, "feature_linear_histogram", featureIndex) }
        }
    }

    /// The changes of all tokens' logits per unit of a feature's activation, in equal bins; nil where they are not
    /// kept.
    ///
    /// - Throws: ``CatalogError`` `.damaged` for a row that is no histogram.
    package func logitHistogram(dictionaryID: Int64, featureIndex: Int) throws(CatalogError) -> LinearHistogram? {
        try read { database in
            try Row.fetchOne(
                database,
                sql: """
                    SELECT bin_width, first_bin, counts FROM feature_logit_histogram
                    WHERE dictionary_id = ? AND feature_index = ?
                    """,
                arguments: [dictionaryID, featureIndex]
            ).map { try histogram($0, "feature_logit_histogram", featureIndex) }
        }
    }

    /// Writes features' changes of logits in equal bins, in place of earlier ones.
    package func write(
        logitHistograms: [(featureIndex: Int, histogram: LinearHistogram)], dictionaryID: Int64
    ) throws(CatalogError) {
        try write { database in
            let insert = try BulkInsert(
                database, path: path,
                sql: """
                    INSERT OR REPLACE INTO feature_logit_histogram
                        (dictionary_id, feature_index, bin_width, first_bin, counts)
                    VALUES (?, ?, ?, ?, ?)
                    """)
            for (featureIndex, histogram) in logitHistograms {
                insert.bind(1, dictionaryID)
                insert.bind(2, featureIndex)
                insert.bind(3, histogram.binWidth)
                insert.bind(4, histogram.firstBin)
                insert.bind(5, Self.json(histogram.counts))
                try insert.run()
            }
        }
    }

    private func histogram(_ row: Row, _ table: String, _ featureIndex: Int) throws -> LinearHistogram {
        let histogram = LinearHistogram(
            binWidth: try row.value(0), firstBin: try row.value(1),
            counts: try integers(row.value(2), table + ".counts"))
        guard let histogram else {
            throw CatalogError(.damaged, "\(path): \(table) of feature \(featureIndex) is not one of equal bins")
        }
        return histogram
    }
}
