import GRDB

extension Catalog {
    /// Writes how tokens were routed in a run (training, evaluation); the run's earlier rows are replaced.
    public func write(
        layerRouting: [LayerRoutingRecord], dictionaryID: Int64, runID: Int64
    ) throws(CatalogError) {
        try write { database in try insert(layerRouting, dictionaryID: dictionaryID, runID: runID, database) }
    }

    /// How tokens were routed in a run, by layer.
    public func layerRouting(dictionaryID: Int64, runID: Int64) throws(CatalogError) -> [LayerRoutingRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT layer, n_tokens, mean_router_weight FROM layer_routing
                    WHERE dictionary_id = ? AND run_id = ? ORDER BY layer
                    """,
                arguments: [dictionaryID, runID]
            ).map { try LayerRoutingRecord(layer: $0.value(0), tokenCount: $0.value(1), meanRouterWeight: $0.value(2)) }
        }
    }

    func insert(
        _ layerRouting: [LayerRoutingRecord], dictionaryID: Int64, runID: Int64, _ database: Database
    ) throws {
        let statement = try database.makeStatement(
            sql: """
                INSERT OR REPLACE INTO layer_routing (dictionary_id, run_id, layer, n_tokens, mean_router_weight)
                VALUES (?, ?, ?, ?, ?)
                """)
        for layer in layerRouting {
            try statement.execute(arguments: [
                dictionaryID, runID, layer.layer, layer.tokenCount, layer.meanRouterWeight,
            ])
        }
    }
}
