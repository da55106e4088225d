import GRDB

extension Catalog {
    /// The statement that counts by layer as ``countInterpretable(_:threshold:)`` does, with parameters `:dictionary`,
    /// `:corpus` and `:threshold`; runs in any SQLite tool.
    ///
    /// A feature has enough contexts below `counted_below`, and few enough token classes from `counted_from` on: see
    /// ``DerivedColumns``. So counting scans one index, at any threshold.
    package static let countingSQL = """
        SELECT
            peak_layer AS layer,
            count(CASE WHEN counted_from IS NULL OR counted_from <= :threshold THEN 1 END) AS with_class_rule,
            count(*) AS without_class_rule
        FROM feature
        WHERE dictionary_id = :dictionary AND corpus_id = :corpus AND counted_below > :threshold
        GROUP BY peak_layer
        ORDER BY peak_layer
        """

    /// Counts interpretable features by the paper's protocol, exactly, at any threshold.
    ///
    /// - Parameters:
    ///   - key: The dictionary and the corpus.
    ///   - threshold: Activations count only above this (15 in the paper); nil for the dictionary's own.
    ///   - withLayers: Whether to count by layer as well, which takes half as long again.
    /// - Throws: ``CatalogError`` `.notFound` if there is no such dictionary or it is not indexed.
    package func countInterpretable(
        _ key: IndexingKey, threshold: Double? = nil, withLayers: Bool = true
    ) throws(CatalogError) -> InterpretableCount {
        guard let threshold else {
            return try countInterpretable(
                key, threshold: dictionary(key.dictionaryID).activationThreshold, withLayers: withLayers)
        }
        return try countInterpretable(key, thresholds: [threshold], withLayers: withLayers)[0]
    }

    /// Counts interpretable features at several thresholds, all in one walk along the index.
    ///
    /// - Parameters:
    ///   - key: The dictionary and the corpus.
    ///   - thresholds: Activations count only above these.
    ///   - withLayers: Whether to count by layer as well.
    /// - Returns: A count for each threshold, in their order.
    /// - Throws: ``CatalogError`` `.notFound` if there is no such dictionary or it is not indexed; `.damaged` if more
    ///   features count than the dictionary has latents.
    package func countInterpretable(
        _ key: IndexingKey, thresholds: [Double], withLayers: Bool = true
    ) throws(CatalogError) -> [InterpretableCount] {
        let dictionary = try dictionary(key.dictionaryID)
        guard try indexing(key) != nil else {
            throw CatalogError(
                .notFound, "\(path): dictionary \"\(dictionary.name)\" is not indexed on corpus \(key.corpusID)")
        }

        let counts = try read { database in
            var counts: [InterpretableCount] = []
            var rest = thresholds[...]
            while !rest.isEmpty {
                counts += try Self.count(key, rest.prefix(Self.thresholdsPerWalk), withLayers, database)
                rest = rest.dropFirst(Self.thresholdsPerWalk)
            }
            return counts
        }
        guard counts.allSatisfy({ $0.withoutClassRule <= dictionary.latentCount }) else {
            throw CatalogError(
                .damaged,
                "\(path): dictionary \"\(dictionary.name)\" has \(dictionary.latentCount) latents and more features")
        }
        return counts
    }

    /// A statement has two columns for each threshold, and SQLite allows 2000.
    private static let thresholdsPerWalk = 64

    private static func count(
        _ key: IndexingKey, _ thresholds: ArraySlice<Double>, _ withLayers: Bool, _ database: Database
    ) throws -> [InterpretableCount] {
        // The same conditions as in `countingSQL`, for each threshold a pair of columns.
        let columns = thresholds.indices.map { place in
            let number = 3 + place - thresholds.startIndex
            return """
                count(*) FILTER (WHERE counted_below > ?\(number) \
                AND (counted_from IS NULL OR counted_from <= ?\(number))), \
                count(*) FILTER (WHERE counted_below > ?\(number))
                """
        }

        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT \(withLayers ? "peak_layer" : "NULL"), \(columns.joined(separator: ", ")) FROM feature
                WHERE dictionary_id = ?1 AND corpus_id = ?2 \(withLayers ? "GROUP BY peak_layer ORDER BY peak_layer" : "")
                """,
            arguments: [key.dictionaryID, key.corpusID] + StatementArguments(thresholds))
        return try thresholds.enumerated().map { place, threshold in
            let layers: [(layer: Int?, with: Int, without: Int)] = try rows.map { row in
                (try row.number(0), try row.number(1 + 2 * place), try row.number(2 + 2 * place))
            }
            return InterpretableCount(
                threshold: threshold, withClassRule: layers.reduce(0) { $0 + $1.with },
                withoutClassRule: layers.reduce(0) { $0 + $1.without },
                byLayer: layers.compactMap { entry in
                    guard let layer = entry.layer, entry.without > 0 else { return nil }
                    return InterpretableCount.Layer(
                        layer: layer, withClassRule: entry.with, withoutClassRule: entry.without)
                })
        }
    }
}
