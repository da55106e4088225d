import ActivationPipeline
package import FeatureCatalog

extension SummaryColumns {
    /// The column of a name.
    ///
    /// - Throws: `WorkflowError.usage` that lists the columns there are.
    package func named(_ name: some StringProtocol) throws -> Column {
        guard let column = self[name] else {
            throw WorkflowError.usage(
                "features have no column '\(name)'; there are \(all.map(\.name).joined(separator: ", "))")
        }
        return column
    }
}
