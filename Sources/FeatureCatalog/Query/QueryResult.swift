/// What a query gave.
public struct QueryResult: Equatable, Sendable {
    /// The columns' names, in order.
    public let columns: [String]

    /// The rows, each with a value per column.
    public let rows: [[CatalogValue]]

    /// Whether a limit cut off further rows.
    public let isTruncated: Bool

    /// Describes a result.
    public init(columns: [String], rows: [[CatalogValue]], isTruncated: Bool = false) {
        self.columns = columns
        self.rows = rows
        self.isTruncated = isTruncated
    }
}
