/// The columns of the view `feature_summary`, by which features are filtered and sorted.
package struct SummaryColumns: Sendable {
    /// One of them.
    package struct Column: Equatable, Sendable {
        /// Its name.
        package let name: String
        /// Whether it holds text; all others hold numbers.
        package let isText: Bool
        /// Whether it measures or counts something, so that the largest are looked for first.
        package let isMeasure: Bool
    }

    /// The columns in the order of the view.
    package let all: [Column]

    /// Those that features are sorted by. The texts of five tokens in a row mean nothing in alphabetical order, and
    /// take a second to gather.
    package var sortable: [Column] { all.filter { $0.name != "promoted_tokens" } }

    /// Reads them.
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
