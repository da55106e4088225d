import GRDB
import Vocabulary

extension Catalog {
    /// Writes texts generated under interventions.
    ///
    /// - Throws: ``CatalogError`` `.invalidValue` if a detail is not JSON.
    package func write(interventions: [InterventionRecord]) throws(CatalogError) {
        for intervention in interventions { try checkJSON(intervention.detailJSON, "detail of an intervention") }
        try write { database in
            let statement = try database.makeStatement(
                sql: """
                    INSERT INTO intervention (run_id, dictionary_id, feature_index, operation, strength, prompt, text,
                        kl, detail)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """)
            for intervention in interventions {
                try statement.execute(arguments: [
                    intervention.runID, intervention.dictionaryID, intervention.featureIndex,
                    intervention.operation.rawValue, intervention.strength, Self.storable(intervention.prompt),
                    Self.storable(intervention.text), intervention.kl, intervention.detailJSON,
                ])
            }
        }
    }

    /// Interventions on a dictionary's features, oldest first.
    ///
    /// - Parameter featureIndex: Only this feature's; nil for all.
    package func interventions(
        dictionaryID: Int64, featureIndex: Int? = nil
    ) throws(CatalogError) -> [InterventionRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT run_id, dictionary_id, feature_index, operation, strength, prompt, text, kl, detail
                    FROM intervention
                    WHERE dictionary_id = :dictionary AND (:feature IS NULL OR feature_index = :feature)
                    ORDER BY intervention_id
                    """,
                arguments: ["dictionary": dictionaryID, "feature": featureIndex]
            ).map { row in
                try InterventionRecord(
                    runID: row.value(0), dictionaryID: row.value(1), featureIndex: row.number(2),
                    operation: enumeration(row.value(3), "intervention.operation"), strength: row.value(4),
                    prompt: row.value(5), text: row.value(6), kl: row.value(7), detailJSON: row.value(8))
            }
        }
    }
}
