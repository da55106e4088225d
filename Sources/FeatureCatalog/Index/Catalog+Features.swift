import GRDB

extension Catalog {
    /// The statistics of features, by index.
    ///
    /// - Parameter range: Which features; nil for all.
    public func features(
        dictionaryID: Int64, range: Range<Int>? = nil
    ) throws(CatalogError) -> [FeatureRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT feature_index, n_fired, mean_activation, std_activation, max_activation, p10, p50, p90, p99,
                        decoder_norm, n_documents, histogram
                    FROM feature WHERE dictionary_id = ? AND feature_index >= ? AND feature_index < ?
                    ORDER BY feature_index
                    """,
                arguments: [dictionaryID, range?.lowerBound ?? 0, range?.upperBound ?? Int.max]
            ).map(featureRecord)
        }
    }

    /// The statistics of one feature.
    ///
    /// - Throws: ``CatalogError`` `.notFound`.
    public func feature(dictionaryID: Int64, featureIndex: Int) throws(CatalogError) -> FeatureRecord {
        // A range's upper bound would overflow at the end of Int.
        guard featureIndex >= 0, featureIndex < Int.max,
            let feature = try features(dictionaryID: dictionaryID, range: featureIndex..<featureIndex + 1).first
        else { throw CatalogError(.notFound, "\(path): dictionary \(dictionaryID) has no feature \(featureIndex)") }
        return feature
    }

    /// A feature's firings by layer.
    public func featureLayers(dictionaryID: Int64, featureIndex: Int) throws(CatalogError) -> [FeatureLayerRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT feature_index, layer, n_fired, sum_activation, max_activation, mean_router_weight
                    FROM feature_layer WHERE dictionary_id = ? AND feature_index = ? ORDER BY layer
                    """,
                arguments: [dictionaryID, featureIndex]
            ).map { row in
                try FeatureLayerRecord(
                    featureIndex: row.value(0), layer: row.value(1), firedCount: row.value(2),
                    sumActivation: row.value(3), maxActivation: row.value(4), meanRouterWeight: row.value(5))
            }
        }
    }

    /// A feature's token classes, strongest first.
    public func featureTokens(dictionaryID: Int64, featureIndex: Int) throws(CatalogError) -> [FeatureTokenRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT feature_index, token_class, n_fired, activation_1, activation_2 FROM feature_token
                    WHERE dictionary_id = ? AND feature_index = ? ORDER BY activation_1 DESC, token_class
                    """,
                arguments: [dictionaryID, featureIndex]
            ).map { row in
                try FeatureTokenRecord(
                    featureIndex: row.value(0), tokenClass: row.value(1), firedCount: row.value(2),
                    activation1: row.value(3), activation2: row.value(4))
            }
        }
    }

    /// A feature's contexts, by band (top, sample, quiet) and rank.
    ///
    /// - Parameters:
    ///   - band: Only these; nil for all.
    ///   - split: Only these; nil for all.
    /// - Throws: ``CatalogError`` `.damaged` if an activations blob does not hold.
    public func contexts(
        dictionaryID: Int64, featureIndex: Int, band: ContextRecord.Band? = nil, split: ContextRecord.Split? = nil
    ) throws(CatalogError) -> [ContextRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT context_id, feature_index, band, rank, document_id, token_position, segment, window_start,
                        window_length, layer, router_weight, activation, split, activations, excerpt
                    FROM context
                    WHERE dictionary_id = :dictionary AND feature_index = :feature
                        AND (:band IS NULL OR band = :band) AND (:split IS NULL OR split = :split)
                    ORDER BY CASE band WHEN 'top' THEN 0 WHEN 'sample' THEN 1 ELSE 2 END, rank
                    """,
                arguments: [
                    "dictionary": dictionaryID, "feature": featureIndex, "band": band?.rawValue,
                    "split": split?.rawValue,
                ]
            ).map(contextRecord)
        }
    }

    private func contextRecord(_ row: Row) throws -> ContextRecord {
        let contextID: Int64 = try row.value(0)
        let frame = try row.bytes(13)
        let windowLength: Int = try row.value(8)
        let activations = try blob("activations of context \(contextID)") { () throws(Zstd.Failure) in
            try SparseActivations.decode(frame, windowLength: windowLength)
        }
        return try ContextRecord(
            contextID: contextID, featureIndex: row.value(1), band: enumeration(row.value(2), "context.band"),
            rank: row.value(3), documentID: row.value(4), tokenPosition: row.value(5), segment: row.value(6),
            windowStart: row.value(7), layer: row.value(9), routerWeight: row.value(10), activation: row.value(11),
            split: enumeration(row.value(12), "context.split"), activations: activations, excerpt: row.value(14))
    }

    private func featureRecord(_ row: Row) throws -> FeatureRecord {
        var quantiles: FeatureRecord.Quantiles?
        if let p10: Float = try row.value(5), let p50: Float = try row.value(6), let p90: Float = try row.value(7),
            let p99: Float = try row.value(8)
        {
            quantiles = FeatureRecord.Quantiles(p10: p10, p50: p50, p90: p90, p99: p99)
        }
        let histogram: String? = try row.value(11)
        return try FeatureRecord(
            featureIndex: row.value(0), firedCount: row.value(1), meanActivation: row.value(2),
            stdActivation: row.value(3), maxActivation: row.value(4), quantiles: quantiles, decoderNorm: row.value(9),
            documentCount: row.value(10), histogram: histogram.map { try integers($0, "feature.histogram") } ?? [])
    }
}
