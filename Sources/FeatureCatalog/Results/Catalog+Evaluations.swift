import GRDB

extension Catalog {
    /// Writes figures about dictionaries; one of the same run, dictionary, metric and layer is replaced.
    package func write(evaluations: [EvaluationRecord]) throws(CatalogError) {
        try write { database in
            let statement = try database.makeStatement(
                sql: """
                    INSERT OR REPLACE INTO evaluation (run_id, dictionary_id, metric, layer, value, low, high, n_tokens,
                        corpus_id)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """)
            for figure in evaluations {
                try statement.execute(arguments: [
                    figure.runID, figure.dictionaryID, figure.metric, figure.layer, figure.value, figure.low,
                    figure.high, figure.tokenCount, figure.corpusID,
                ])
            }
        }
    }

    /// Figures about a dictionary, by run, metric and layer (all layers together first).
    ///
    /// - Parameter runID: Only this run's; nil for all.
    package func evaluations(dictionaryID: Int64, runID: Int64? = nil) throws(CatalogError) -> [EvaluationRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT run_id, dictionary_id, metric, layer, value, low, high, n_tokens, corpus_id
                    FROM evaluation WHERE dictionary_id = :dictionary AND (:run IS NULL OR run_id = :run)
                    ORDER BY run_id, metric, layer
                    """,
                arguments: ["dictionary": dictionaryID, "run": runID]
            ).map { row in
                try EvaluationRecord(
                    runID: row.value(0), dictionaryID: row.value(1), metric: row.value(2), layer: row.number(3),
                    value: row.value(4), low: row.value(5), high: row.value(6), tokenCount: row.tally(7),
                    corpusID: row.value(8))
            }
        }
    }
}
