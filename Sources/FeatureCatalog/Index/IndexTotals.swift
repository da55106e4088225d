import GRDB

/// Totals over all features of an index: columns of `indexing` and `layer_routing`.
struct IndexTotals {
    /// Firing totals of a layer.
    struct Layer: Equatable {
        var featureCount = 0
        var peakFeatureCount = 0
        var firedCount = 0
        var sumActivation = 0.0
        var maxActivation: Float?
    }

    private(set) var featureCount = 0
    private(set) var aliveCount = 0
    private(set) var contextCount = 0
    private(set) var layers: [Int: Layer] = [:]
    private var firedCount = 0
    private var entropySum = 0.0

    mutating func add(_ feature: FeatureEntry, _ derived: DerivedColumns) {
        featureCount += 1
        contextCount += feature.contexts.count
        if feature.record.firedCount > 0 { aliveCount += 1 }
        firedCount = Self.sum(firedCount, feature.record.firedCount)
        entropySum += derived.layerEntropy ?? 0
        for part in feature.layers {
            var layer = layers[part.layer] ?? Layer()
            layer.featureCount += 1
            layer.firedCount = Self.sum(layer.firedCount, part.firedCount)
            layer.sumActivation += part.sumActivation
            layer.maxActivation = max(layer.maxActivation ?? part.maxActivation, part.maxActivation)
            layers[part.layer] = layer
        }
        if let peak = derived.peakLayer { layers[peak, default: Layer()].peakFeatureCount += 1 }
    }

    /// A file that is migrated may hold counts whose sum is beyond Int.
    private static func sum(_ one: Int, _ two: Int) -> Int {
        let (sum, overflow) = one.addingReportingOverflow(two)
        return overflow ? .max : sum
    }

    func write(of key: IndexingKey, _ database: Database) throws {
        try database.execute(
            sql: """
                UPDATE indexing SET n_alive = ?, n_contexts = ?,
                    mean_active_per_token = CAST(? AS REAL) / nullif(n_tokens, 0), mean_layer_entropy = ?
                WHERE dictionary_id = ? AND corpus_id = ?
                """,
            arguments: [
                aliveCount, contextCount, firedCount, aliveCount == 0 ? nil : entropySum / Double(aliveCount),
                key.dictionaryID, key.corpusID,
            ])
    }
}
