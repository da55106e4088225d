import GRDB

extension Catalog {
    /// Computes derived columns for migrated indexes of version 1, which lacked them.
    func deriveWhatIsMissing(_ database: Database) throws {
        let keys = try Row.fetchAll(
            database, sql: "SELECT dictionary_id, corpus_id FROM indexing WHERE n_contexts IS NULL"
        ).map { try IndexingKey(dictionaryID: $0.value(0), corpusID: $0.value(1)) }
        for key in keys { try derive(key, database) }
    }

    private func derive(_ key: IndexingKey, _ database: Database) throws {
        var totals = IndexTotals()
        let update = try database.makeStatement(
            sql: """
                UPDATE feature SET counted_from = ?, counted_below = ?
                WHERE dictionary_id = ? AND feature_index = ? AND corpus_id = ?
                """)
        for record in try features(key) {
            let layers = try featureLayers(key, featureIndex: record.featureIndex)
            let tokens = try featureTokens(key, featureIndex: record.featureIndex)
            let derived = DerivedColumns(layers: layers.map { ($0.layer, $0.firedCount) }, tokens: tokens)
            try update.execute(arguments: [
                derived.countedFrom, derived.countedBelow, key.dictionaryID, record.featureIndex, key.corpusID,
            ])
            totals.add(FeatureEntry(record: record, layers: layers, tokens: tokens), derived)
        }
        try totals.write(of: key, database)
        try database.execute(
            sql: """
                UPDATE indexing SET n_contexts = (
                    SELECT count(*) FROM feature_context AS c
                    WHERE c.dictionary_id = indexing.dictionary_id AND c.corpus_id = indexing.corpus_id)
                WHERE dictionary_id = ? AND corpus_id = ?
                """,
            arguments: [key.dictionaryID, key.corpusID])
        guard let runID = try indexing(key)?.runID else { return }
        try insert(
            try layerRouting(dictionaryID: key.dictionaryID, runID: runID), dictionaryID: key.dictionaryID,
            runID: runID, totals: totals.layers, database)
    }
}
