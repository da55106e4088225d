import GRDB

extension Catalog {
    /// Rows of a SELECT of our own making; for SQL that a person wrote, see ``runReadOnly(sql:timeLimit:rowLimit:)``.
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

    /// Bytes of text and blobs in a result: few rows can show the same long text many times.
    private static let maximumResultByteCount = 1 << 28

    /// The columns of a table or view, in order.
    ///
    /// - Throws: ``CatalogError`` `.notFound`.
    package func columns(of table: String) throws(CatalogError) -> [String] {
        try read { database in
            let names = try String.fetchAll(
                database, sql: "SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1", arguments: [table])
            guard !names.isEmpty else { throw CatalogError(.notFound, "\(path): no table or view \"\(table)\"") }
            return names
        }
    }

    /// Rows of the view `feature_summary`.
    ///
    /// - Throws: ``CatalogError`` `.notFound` if a column is not of the view; the message lists those that are.
    package func featureSummaries(_ query: FeatureQuery) throws(CatalogError) -> QueryResult {
        let known = try columns(of: "feature_summary")
        for name in query.columns + query.conditions.map(\.column) + [query.orderColumn].compactMap(\.self) {
            guard known.contains(name) else {
                throw CatalogError(
                    .notFound,
                    "\(path): features have no column \"\(name)\" (there are: \(known.joined(separator: ", ")))")
            }
        }
        // Names are among the known ones, so they can go into the statement; values never do.
        var conditions = query.conditions.map { "\"\($0.column)\" \($0.comparison.rawValue) ?" }
        var arguments = query.conditions.map(\.value)
        if let dictionaryID = query.dictionaryID {
            conditions.append("dictionary_id = ?")
            arguments.append(.integer(dictionaryID))
        }

        var order = "dictionary_id, feature_index, corpus_id"
        if let column = query.orderColumn {
            order = "\"\(column)\" \(query.isDescending ? "DESC" : "ASC") NULLS LAST, " + order
        }

        let names = (query.columns.isEmpty ? known : query.columns).map { "\"\($0)\"" }.joined(separator: ", ")
        let filter = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        return try rows(
            sql: "SELECT \(names) FROM feature_summary\(filter) ORDER BY \(order) LIMIT ? OFFSET ?",
            arguments: arguments + [.integer(Int64(query.limit ?? -1)), .integer(Int64(max(0, query.offset)))])
    }
}
