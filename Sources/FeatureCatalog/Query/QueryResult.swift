/// The result of a query.
package struct QueryResult: Equatable, Sendable {
    /// The columns' names, in order.
    package let columns: [String]

    /// The rows, each with a value per column.
    package let rows: [[CatalogValue]]

    /// Whether a limit cut off further rows.
    package let isTruncated: Bool

    /// Describes a result.
    package init(columns: [String], rows: [[CatalogValue]], isTruncated: Bool = false) {
        self.columns = columns
        self.rows = rows
        self.isTruncated = isTruncated
    }
}
