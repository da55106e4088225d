import GRDB

extension Catalog {
    /// Rows of a SELECT of the program; for SQL from a user, see ``runReadOnly(sql:timeLimit:rowLimit:)``.
    ///
    /// - Parameter arguments: Values for the statement's `?`, in order.
    /// - Throws: ``CatalogError`` `.invalidSQL`; `.refused` if the statement would write.
    package func rows(sql: String, arguments: [CatalogValue] = []) throws(CatalogError) -> QueryResult {
        try read { database in
            let statement = try database.makeStatement(sql: sql)
            guard statement.isReadonly else { throw CatalogError(.refused, "\(path): only SELECT may be run here") }
            let values = StatementArguments(arguments.map(\.databaseValue))
            var rows: [[CatalogValue]] = []
            var byteCount = 0
            let cursor = try Row.fetchCursor(statement, arguments: values)
            while let row = try cursor.next() {
                let values = row.databaseValues.map(CatalogValue.init)
                byteCount += values.reduce(0) { $0 + $1.textByteCount }
                guard byteCount <= Self.maximumResultByteCount else {
                    throw CatalogError(.refused, "\(path): the rows hold too much text; ask for fewer rows or columns")
                }
                rows.append(Array(values))
            }
            return QueryResult(columns: statement.columnNames, rows: rows)
        }
    }

    /// The most bytes of text and blobs in a result: few rows can show the same long text many times.
    private static let maximumResultByteCount = 1 << 28
}
