import Foundation
import GRDB

/// The columns of `feature` that follow from other tables. They are stored because people filter on them, and
/// working them out for 10⁵ features in every query would be slow.
enum DerivedColumns {
    /// What is derived for one feature; nil where it never fired.
    struct Values: Equatable {
        var peakLayer: Int?
        var peakLayerShare: Double?
        var layerEntropy: Double?
        var topToken: String?

        /// Whether the values are the same; logarithms may differ in the last bit between machines.
        func agrees(with other: Values) -> Bool {
            let entropies = (layerEntropy ?? -1, other.layerEntropy ?? -1)
            return peakLayer == other.peakLayer && peakLayerShare == other.peakLayerShare
                && abs(entropies.0 - entropies.1) <= 1e-12 && topToken == other.topToken
        }
    }

    /// Fills the columns of all features of a dictionary.
    static func write(dictionaryID: Int64, _ database: Database) throws {
        let update = try database.makeStatement(
            sql: """
                UPDATE feature SET peak_layer = ?, peak_layer_share = ?, layer_entropy = ?, top_token = ?
                WHERE dictionary_id = ? AND feature_index = ?
                """)
        for (featureIndex, values) in try derive(dictionaryID: dictionaryID, database) {
            try update.execute(arguments: [
                values.peakLayer, values.peakLayerShare, values.layerEntropy, values.topToken, dictionaryID,
                featureIndex,
            ])
        }
    }

    /// Works the columns out from `feature_layer` and `feature_token`.
    static func derive(dictionaryID: Int64, _ database: Database) throws -> [Int: Values] {
        var derived: [Int: Values] = [:]
        var layers: [(layer: Int, count: Int)] = []
        var current: Int?
        func flush() {
            guard let feature = current else { return }
            derived[feature] = summary(of: layers)
            layers.removeAll(keepingCapacity: true)
        }
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT feature_index, layer, n_fired FROM feature_layer WHERE dictionary_id = ?
                ORDER BY feature_index, layer
                """,
            arguments: [dictionaryID])
        while let row = try rows.next() {
            let feature: Int = try row.value(0)
            if feature != current {
                flush()
                current = feature
            }
            layers.append((try row.value(1), try row.value(2)))
        }
        flush()
        let classes = try Row.fetchCursor(
            database,
            sql: """
                SELECT feature_index, token_class FROM (
                    SELECT feature_index, token_class, row_number() OVER (
                        PARTITION BY feature_index ORDER BY n_fired DESC, activation_1 DESC, token_class
                    ) AS place
                    FROM feature_token WHERE dictionary_id = ?
                ) WHERE place = 1
                """,
            arguments: [dictionaryID])
        while let row = try classes.next() {
            derived[try row.value(0), default: Values()].topToken = try row.value(1)
        }
        return derived
    }

    private static func summary(of layers: [(layer: Int, count: Int)]) -> Values {
        let total = Double(layers.reduce(0) { $0 + $1.count })
        var values = Values()
        var most = 0
        var entropy = 0.0
        for (layer, count) in layers where count > 0 {
            let share = Double(count) / total
            entropy -= share * log(share)
            // The lowest of equals, since layers come in ascending order.
            if count > most {
                most = count
                values.peakLayer = layer
                values.peakLayerShare = share
            }
        }
        // One layer alone gives −1·log 1, which is −0.
        values.layerEntropy = max(0, entropy)
        return values
    }
}
