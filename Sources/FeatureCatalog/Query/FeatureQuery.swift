/// Which features to look at, and how: conditions on columns of the view `feature_summary`.
package struct FeatureQuery: Sendable {
    /// How a column compares with a value.
    package enum Comparison: String, CaseIterable, Sendable {
        /// The same (`IS`, so that NULL compares too).
        case equal = "IS"
        /// Not the same (`IS NOT`).
        case notEqual = "IS NOT"
        /// Less.
        case less = "<"
        /// Less or the same.
        case lessOrEqual = "<="
        /// Greater.
        case greater = ">"
        /// Greater or the same.
        case greaterOrEqual = ">="
        /// Matches a pattern with `%` and `_`, letters of ASCII in either case.
        case like = "LIKE"
    }

    /// One condition.
    package struct Condition: Sendable {
        /// The column of `feature_summary`.
        package let column: String
        /// How it compares.
        package let comparison: Comparison
        /// What with.
        package let value: CatalogValue

        /// Describes a condition.
        package init(_ column: String, _ comparison: Comparison, _ value: CatalogValue) {
            self.column = column
            self.comparison = comparison
            self.value = value
        }
    }

    /// Only this dictionary's features; nil for all.
    package var dictionaryID: Int64?
    /// All of these hold.
    package var conditions: [Condition]
    /// Columns to give; empty for all.
    package var columns: [String]
    /// The column to sort by; nil for dictionary and index. NULLs come last either way.
    package var orderColumn: String?
    /// Whether the largest come first.
    package var isDescending: Bool
    /// How many rows at most; nil for all.
    package var limit: Int?
    /// How many rows to skip first.
    package var offset: Int

    /// Describes a query.
    package init(
        dictionaryID: Int64? = nil, conditions: [Condition] = [], columns: [String] = [], orderColumn: String? = nil,
        isDescending: Bool = false, limit: Int? = nil, offset: Int = 0
    ) {
        self.dictionaryID = dictionaryID
        self.conditions = conditions
        self.columns = columns
        self.orderColumn = orderColumn
        self.isDescending = isDescending
        self.limit = limit
        self.offset = offset
    }
}
