import GRDB

/// What verification knows of an index while it checks its features, and their totals.
struct InspectedIndex {
    let key: IndexingKey
    let runID: Int64
    let tokenCount: Int
    let documentCount: Int
    let window: Int
    let binCount: Int
    /// Whether an indexing run made it; a merged index may have parts without strongest contexts.
    let isIndexed: Bool

    var featureCount = 0
    var contextCount = 0
    private var aliveCount = 0
    private var firedCount = 0.0
    private var entropySum = 0.0
    private var layers: [Int: IndexTotals.Layer] = [:]

    init(_ record: IndexingRecord, isIndexed: Bool) {
        key = record.key
        runID = record.runID
        tokenCount = record.tokenCount
        documentCount = record.documentCount
        window = record.window
        binCount = max(0, record.histogramEdges.count - 1)
        self.isIndexed = isIndexed
    }

    var place: String { "indexing of dictionary \(key.dictionaryID) on corpus \(key.corpusID)" }

    mutating func add(_ feature: FeatureFigures) {
        featureCount += 1
        if feature.firedCount > 0 { aliveCount += 1 }
        firedCount += Double(feature.firedCount)
        entropySum += feature.stored.layerEntropy ?? 0
        for part in feature.layers {
            var layer = layers[part.layer] ?? IndexTotals.Layer()
            layer.featureCount += 1
            layer.firedCount = layer.firedCount.addingReportingOverflow(part.firedCount).partialValue
            layer.sumActivation += part.sum
            let maximum = Float(part.maximum)
            layer.maxActivation = max(layer.maxActivation ?? maximum, maximum)
            layers[part.layer] = layer
        }
        if let peak = feature.stored.peakLayer { layers[peak, default: IndexTotals.Layer()].peakFeatureCount += 1 }
    }

    /// Contradictions in the derived columns of its row.
    func contradictions(_ database: Database) throws -> [String] {
        let row = try Row.fetchOne(
            database,
            sql: """
                SELECT n_alive, n_contexts, mean_active_per_token, mean_layer_entropy
                FROM indexing WHERE dictionary_id = ? AND corpus_id = ?
                """,
            arguments: [key.dictionaryID, key.corpusID])
        guard let row else { return [] }
        var found: [String] = []
        let (alive, contexts): (Int?, Int?) = (try row.value(0), try row.value(1))
        if alive != aliveCount { found.append("n_alive is \(alive ?? -1), and \(aliveCount) features fired") }
        if contexts != contextCount { found.append("n_contexts is \(contexts ?? -1), and there are \(contextCount)") }
        let active = tokenCount > 0 ? firedCount / Double(tokenCount) : nil
        let entropy = aliveCount > 0 ? entropySum / Double(aliveCount) : nil
        for (name, stored, made): (String, Double?, Double?) in [
            ("mean_active_per_token", try row.value(2), active), ("mean_layer_entropy", try row.value(3), entropy),
        ] where !Self.agree(stored, made) {
            found.append(
                "\(name) is \(FeatureFigures.shown(stored)), and its features give \(FeatureFigures.shown(made))")
        }
        return found
    }

    /// Contradictions in the derived columns of its run's `layer_routing`.
    func routingContradictions(_ database: Database) throws -> [String] {
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT layer, n_features, n_peak_features, n_fired, sum_activation, max_activation
                FROM layer_routing WHERE dictionary_id = ? AND run_id = ? ORDER BY layer
                """,
            arguments: [key.dictionaryID, runID])
        return try rows.compactMap { row in
            let number: Int = try row.value(0)
            let layer = layers[number] ?? IndexTotals.Layer()
            let counts: [Int?] = try [row.value(1), row.value(2), row.value(3)]
            let (sum, maximum): (Double?, Double?) = (try row.value(4), try row.value(5))
            guard
                counts != [layer.featureCount, layer.peakFeatureCount, layer.firedCount]
                    || !Self.agree(sum, layer.sumActivation) || maximum != layer.maxActivation.map(Double.init)
            else { return nil }
            return "layer \(number) has \(layer.featureCount) features, \(layer.peakFeatureCount) of them most, and "
                + "\(layer.firedCount) firings; n_features to max_activation say otherwise"
        }
    }

    private static func agree(_ one: Double?, _ two: Double?) -> Bool {
        guard let one, let two else { return one == nil && two == nil }
        return abs(one - two) <= 1e-9 * max(abs(one), abs(two), 1e-3)
    }
}
