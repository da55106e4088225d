import GRDB

extension Catalog {
    /// Writes explanations; one of the same run, feature and method is replaced, with its scores.
    ///
    /// - Returns: Their keys, in the order given.
    /// - Throws: ``CatalogError`` `.invalidValue` if a detail is not JSON or there is no such feature or run.
    @discardableResult
    package func write(explanations: [ExplanationRecord]) throws(CatalogError) -> [Int64] {
        try check(explanations)
        return try write { database in try insert(explanations, database) }
    }

    /// Writes explanations with their scores, in one transaction: an explanation never replaces earlier
    /// ones before it is scored.
    ///
    /// - Parameter scores: the scores, given the explanations' keys in the order given.
    /// - Throws: as for either; what `scores` throws.
    package func write(
        explanations: [ExplanationRecord], scores: (_ ids: [Int64]) throws -> [ScoreRecord]
    ) throws {
        try check(explanations)
        try writeRethrowing { database in
            let records = try scores(try insert(explanations, database))
            try check(records)
            _ = try insert(records, database)
        }
    }

    private func check(_ explanations: [ExplanationRecord]) throws(CatalogError) {
        for explanation in explanations {
            try checkJSON(explanation.detailJSON, "detail of an explanation of feature \(explanation.featureIndex)")
        }
    }

    private func insert(_ explanations: [ExplanationRecord], _ database: Database) throws -> [Int64] {
        let delete = try database.makeStatement(
            sql: """
                DELETE FROM explanation
                WHERE run_id = ? AND dictionary_id = ? AND feature_index = ? AND corpus_id = ? AND method = ?
                """)
        let insert = try database.makeStatement(
            sql: """
                INSERT INTO explanation (run_id, dictionary_id, feature_index, corpus_id, method, text, detail)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """)
        return try explanations.map { explanation in
            let key: StatementArguments = [
                explanation.runID, explanation.dictionaryID, explanation.featureIndex, explanation.corpusID,
                explanation.method,
            ]
            try delete.execute(arguments: key)
            try insert.execute(
                arguments: key + [Self.storable(explanation.text), explanation.detailJSON])
            return database.lastInsertedRowID
        }
    }

    /// A dictionary's explanations, oldest first.
    ///
    /// - Parameters:
    ///   - featureIndex: Only this feature's; nil for all.
    ///   - method: Only these; nil for all.
    package func explanations(
        dictionaryID: Int64, featureIndex: Int? = nil, method: String? = nil
    ) throws(CatalogError) -> [ExplanationRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT explanation_id, run_id, dictionary_id, feature_index, corpus_id, method, text, detail
                    FROM explanation
                    WHERE dictionary_id = :dictionary \(featureIndex == nil ? "" : "AND feature_index = :feature")
                        AND (:method IS NULL OR method = :method)
                    ORDER BY explanation_id
                    """,
                arguments: featureIndex.map { ["dictionary": dictionaryID, "feature": $0, "method": method] }
                    ?? ["dictionary": dictionaryID, "method": method]
            ).map { row in
                try ExplanationRecord(
                    explanationID: row.value(0), runID: row.value(1), dictionaryID: row.value(2),
                    featureIndex: row.number(3), corpusID: row.value(4), method: row.value(5), text: row.value(6),
                    detailJSON: row.value(7))
            }
        }
    }
}
