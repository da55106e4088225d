/// Where an explanation comes from.
package struct ExplanationSource: Hashable, Sendable {
    /// The run that wrote it.
    package let runID: Int64
    /// How it was made.
    package let method: String
}

extension Catalog {
    /// Where the explanations come from that a run scored, each source once.
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
