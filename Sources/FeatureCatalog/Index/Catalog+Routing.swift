import GRDB

extension Catalog {
    /// Writes the routing of a run's tokens (training, evaluation); the run's earlier rows are replaced.
    package func write(
        layerRouting: [LayerRoutingRecord], dictionaryID: Int64, runID: Int64
    ) throws(CatalogError) {
        try write { database in
            try insert(layerRouting, dictionaryID: dictionaryID, runID: runID, totals: nil, database)
        }
    }

    /// The routing of a run's tokens, by layer.
    package func layerRouting(dictionaryID: Int64, runID: Int64) throws(CatalogError) -> [LayerRoutingRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT layer, n_tokens, mean_router_weight FROM layer_routing
                    WHERE dictionary_id = ? AND run_id = ? ORDER BY layer
                    """,
                arguments: [dictionaryID, runID]
            ).map { row in
                try LayerRoutingRecord(
                    layer: row.number(0), tokenCount: row.tally(1), meanRouterWeight: row.value(2))
            }
        }
    }

    /// - Parameter totals: Firing totals per layer; nil for runs that do not index.
    func insert(
        _ layerRouting: [LayerRoutingRecord], dictionaryID: Int64, runID: Int64, totals: [Int: IndexTotals.Layer]?,
        _ database: Database
    ) throws {
        let statement = try database.makeStatement(
            sql: """
                INSERT OR REPLACE INTO layer_routing (dictionary_id, run_id, layer, n_tokens, mean_router_weight,
                    n_features, n_peak_features, n_fired, sum_activation, max_activation)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        for layer in layerRouting {
            let total = totals.map { $0[layer.layer] ?? IndexTotals.Layer() }
            try statement.execute(arguments: [
                dictionaryID, runID, layer.layer, layer.tokenCount, layer.meanRouterWeight, total?.featureCount,
                total?.peakFeatureCount, total?.firedCount, total?.sumActivation, total?.maxActivation,
            ])
        }
    }
}
