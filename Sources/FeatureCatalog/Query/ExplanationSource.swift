/// The origin of an explanation.
package struct ExplanationSource: Hashable, Sendable {
    /// The run that wrote it.
    package let runID: Int64
    /// Its method.
    package let method: String
}

extension Catalog {
    /// The origins of the explanations that a run scored, each once.
    package func explanationSources(scoredBy runID: Int64) throws(CatalogError) -> [ExplanationSource] {
        try rows(
            sql: """
                SELECT DISTINCT x.run_id, x.method FROM score AS s JOIN explanation AS x USING (explanation_id)
                WHERE s.run_id = ?
                """,
            arguments: [.integer(runID)]
        ).rows.compactMap { row in
            guard case .integer(let runID) = row[0], let method = row[1].string else { return nil }
            return ExplanationSource(runID: runID, method: method)
        }
    }
}
