/// The columns of the view `feature_summary`, for filters and sorting.
package struct SummaryColumns: Sendable {
    /// A column.
    package struct Column: Equatable, Sendable {
        /// Its name.
        package let name: String
        /// Whether it holds text; all others hold numbers.
        package let isText: Bool
        /// Whether it is a measure or a count, sorted in descending order by default.
        package let isMeasure: Bool
    }

    /// The columns in the order of the view.
    package let all: [Column]

    /// The sortable columns. Lists of five tokens are not: their alphabetical order means nothing, and they
    /// take a second to compute.
    package var sortable: [Column] { all.filter { $0.name != "promoted_tokens" } }

    /// Reads them from the view.
    package init(of catalog: Catalog) throws(CatalogError) {
        let result = try catalog.rows(sql: "SELECT name, type FROM pragma_table_info('feature_summary')")
        all = result.rows.compactMap { row in
            guard case .text(let name) = row[0] else { return nil }
            let type = row[1]
            return Column(
                name: name, isText: type == "TEXT", isMeasure: type == "REAL" || name.hasPrefix("n_"))
        }
    }

    /// The column of a name; nil where the view has none of that name.
    package subscript(name: some StringProtocol) -> Column? {
        all.first { $0.name == name }
    }
}
