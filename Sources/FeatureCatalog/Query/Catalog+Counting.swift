import GRDB

extension Catalog {
    /// The statement behind ``countInterpretable(dictionaryID:threshold:)``; `:dictionary` and `:threshold` are its
    /// parameters, and it runs as it is in any SQLite tool.
    ///
    /// Per feature, the classes whose strongest activation is above the threshold, and the kept contexts: one or two a
    /// class. Only 33 classes of a feature are stored, which is enough: 33 above the threshold are more than 32 allowed
    /// ones, and at least 33 contexts.
    public static let countingSQL = """
        WITH kept AS (
            SELECT
                feature_index,
                count(*) AS classes,
                count(*) + count(CASE WHEN activation_2 > :threshold THEN 1 END) AS contexts
            FROM feature_token
            WHERE dictionary_id = :dictionary AND activation_1 > :threshold
            GROUP BY feature_index
        )
        SELECT
            f.peak_layer AS layer,
            count(CASE WHEN k.contexts >= 5 AND k.classes <= 32 THEN 1 END) AS with_class_rule,
            count(CASE WHEN k.contexts >= 5 THEN 1 END) AS without_class_rule
        FROM kept AS k
        JOIN feature AS f ON f.dictionary_id = :dictionary AND f.feature_index = k.feature_index
        GROUP BY f.peak_layer
        ORDER BY f.peak_layer
        """

    /// Counts interpretable features by the paper's protocol, exactly, at any threshold.
    ///
    /// - Parameters:
    ///   - dictionaryID: The dictionary.
    ///   - threshold: Activations count only above this (15 in the paper); nil for the dictionary's own.
    /// - Throws: ``CatalogError`` `.notFound` if there is no such dictionary or it is not indexed.
    public func countInterpretable(
        dictionaryID: Int64, threshold: Double? = nil
    ) throws(CatalogError) -> InterpretableCount {
        let dictionary = try dictionary(dictionaryID)
        let threshold = threshold ?? dictionary.activationThreshold
        guard try indexing(dictionaryID: dictionaryID) != nil else {
            throw CatalogError(.notFound, "\(path): dictionary \"\(dictionary.name)\" is not indexed")
        }
        return try read { database in
            var withRule = 0
            var withoutRule = 0
            var layers: [InterpretableCount.Layer] = []
            let rows = try Row.fetchAll(
                database, sql: Self.countingSQL, arguments: ["dictionary": dictionaryID, "threshold": threshold])
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
