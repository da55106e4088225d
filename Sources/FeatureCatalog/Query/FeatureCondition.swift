/// A condition on a column of the view `feature_summary`.
package struct FeatureCondition: Equatable, Sendable {
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

    /// The column's name, one of the view's.
    package let column: String
    /// The operator.
    package let comparison: Comparison
    /// The value to compare with.
    package let value: CatalogValue

    /// Describes a condition.
    package init(_ column: SummaryColumns.Column, _ comparison: Comparison, _ value: CatalogValue) {
        self.column = column.name
        self.comparison = comparison
        self.value = value
    }

    /// The condition with a `?` for its value.
    var sql: String { "\"\(column)\" \(comparison.rawValue) ?" }
}
