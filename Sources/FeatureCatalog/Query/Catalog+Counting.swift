import GRDB

extension Catalog {
    /// The statement behind ``countInterpretable(_:threshold:)``; `:dictionary`, `:corpus` and `:threshold` are its
    /// parameters, and it runs as it is in any SQLite tool.
    ///
    /// A feature has enough contexts below `counted_below`, and few enough token classes from `counted_from` on: see
    /// ``DerivedColumns``. So counting is a walk along one index, whatever the threshold.
    public static let countingSQL = """
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
    /// - Throws: ``CatalogError`` `.notFound` if there is no such dictionary or it is not indexed.
    public func countInterpretable(
        _ key: IndexingKey, threshold: Double? = nil
    ) throws(CatalogError) -> InterpretableCount {
        let dictionary = try dictionary(key.dictionaryID)
        let threshold = threshold ?? dictionary.activationThreshold
        guard try indexing(key) != nil else {
            throw CatalogError(
                .notFound, "\(path): dictionary \"\(dictionary.name)\" is not indexed on corpus \(key.corpusID)")
        }
        return try read { database in
            var withRule = 0
            var withoutRule = 0
            var layers: [InterpretableCount.Layer] = []
            let rows = try Row.fetchAll(
                database, sql: Self.countingSQL,
                arguments: ["dictionary": key.dictionaryID, "corpus": key.corpusID, "threshold": threshold])
            for row in rows {
                let layer: Int? = try row.value(0)
                let counts: (with: Int, without: Int) = (try row.value(1), try row.value(2))
                withRule += counts.with
                withoutRule += counts.without
                guard let layer, counts.without > 0 else { continue }
                layers.append(
                    InterpretableCount.Layer(
                        layer: layer, withClassRule: counts.with, withoutClassRule: counts.without))
            }
            return InterpretableCount(
                threshold: threshold, withClassRule: withRule, withoutClassRule: withoutRule, byLayer: layers)
        }
    }
}
