import GRDB

extension Catalog {
    /// The statistics of features on a corpus, by index.
    ///
    /// - Parameter range: Which features; nil for all.
    package func features(_ key: IndexingKey, range: Range<Int>? = nil) throws(CatalogError) -> [FeatureRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT feature_index, n_fired, sum_activation, sum_square, min_activation, max_activation,
                        p10, p50, p90, p99, decoder_norm, n_documents, histogram
                    FROM feature
                    WHERE dictionary_id = ? AND corpus_id = ? AND feature_index >= ? AND feature_index < ?
                    ORDER BY feature_index
                    """,
                arguments: [key.dictionaryID, key.corpusID, range?.lowerBound ?? 0, range?.upperBound ?? Int.max]
            ).map(featureRecord)
        }
    }

    /// The statistics of one feature on a corpus.
    ///
    /// - Throws: ``CatalogError`` `.notFound`.
    package func feature(_ key: IndexingKey, featureIndex: Int) throws(CatalogError) -> FeatureRecord {
        // A range's upper bound would overflow at the end of Int.
        guard featureIndex >= 0, featureIndex < Int.max,
            let feature = try features(key, range: featureIndex..<featureIndex + 1).first
        else { throw CatalogError(.notFound, "\(path): dictionary \(key.dictionaryID) has no feature \(featureIndex)") }
        return feature
    }

    /// A feature's firings by layer.
    package func featureLayers(_ key: IndexingKey, featureIndex: Int) throws(CatalogError) -> [FeatureLayerRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT feature_index, layer, n_fired, sum_activation, max_activation, sum_router_weight
                    FROM feature_layer WHERE dictionary_id = ? AND feature_index = ? AND corpus_id = ? ORDER BY layer
                    """,
                arguments: [key.dictionaryID, featureIndex, key.corpusID]
            ).map { row in
                try FeatureLayerRecord(
                    featureIndex: row.number(0), layer: row.number(1), firedCount: row.tally(2),
                    sumActivation: row.value(3), maxActivation: row.value(4), sumRouterWeight: row.value(5))
            }
        }
    }

    /// A feature's token classes, strongest first.
    package func featureTokens(_ key: IndexingKey, featureIndex: Int) throws(CatalogError) -> [FeatureTokenRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT feature_index, token_class, n_fired, activation_1, activation_2 FROM feature_token
                    WHERE dictionary_id = ? AND feature_index = ? AND corpus_id = ?
                    ORDER BY activation_1 DESC, token_class
                    """,
                arguments: [key.dictionaryID, featureIndex, key.corpusID]
            ).map { row in
                try FeatureTokenRecord(
                    featureIndex: row.number(0), tokenClass: row.value(1), firedCount: row.tally(2),
                    activation1: row.value(3), activation2: row.value(4))
            }
        }
    }

    /// Features that fire on the same tokens as one, the most frequent first.
    package func cofirings(_ key: IndexingKey, featureIndex: Int) throws(CatalogError) -> [CofiringRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT other_index, share, lift FROM feature_cofiring
                    WHERE dictionary_id = ? AND feature_index = ? AND corpus_id = ? ORDER BY rank
                    """,
                arguments: [key.dictionaryID, featureIndex, key.corpusID]
            ).map { try CofiringRecord(otherIndex: $0.number(0), share: $0.value(1), lift: $0.value(2)) }
        }
    }

    private func featureRecord(_ row: Row) throws -> FeatureRecord {
        var quantiles: FeatureRecord.Quantiles?
        if let p10: Float = try row.value(6), let p50: Float = try row.value(7), let p90: Float = try row.value(8),
            let p99: Float = try row.value(9)
        {
            quantiles = FeatureRecord.Quantiles(p10: p10, p50: p50, p90: p90, p99: p99)
        }

        let histogram: String? = try row.value(12)
        return try FeatureRecord(
            featureIndex: row.number(0), firedCount: row.tally(1), sumActivation: row.value(2), sumSquare: row.value(3),
            minActivation: row.value(4), maxActivation: row.value(5), quantiles: quantiles, decoderNorm: row.value(10),
            documentCount: row.tally(11), histogram: histogram.map { try integers($0, "feature.histogram") } ?? [])
    }
}
