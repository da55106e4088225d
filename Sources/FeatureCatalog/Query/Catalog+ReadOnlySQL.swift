extension Catalog {
    /// Runs one statement from a user, on a read-only connection of its own.
    ///
    /// An authorizer permits only SELECT with SQLite's harmless functions and descriptions of tables: no
    /// ATTACH, no writing, no settings, no extensions.
    ///
    /// - Parameters:
    ///   - sql: The statement.
    ///   - timeLimit: Seconds after which it is stopped.
    ///   - rowLimit: Rows after which the rest is left out and the result says so.
    /// - Throws: ``CatalogError`` `.refused`, `.invalidSQL`, `.timedOut`, `.damaged` or `.busy`.
    package func runReadOnly(
        sql: String, timeLimit: Double = 10, rowLimit: Int = 10_000
    ) throws(CatalogError) -> QueryResult {
        var columns: [String] = []
        var rows: [[CatalogValue]] = []
        var byteCount = 0
        let isTruncated: Bool
        do {
            isTruncated = try streamReadOnly(sql: sql, timeLimit: timeLimit, rowLimit: rowLimit) {
                columns = $0
            } row: {
                guard byteCount <= Self.maximumHeldByteCount else { return false }
                byteCount += $0.reduce(0) { $0 + $1.textByteCount + 16 }
                rows.append($0)
                return true
            }
        } catch {
            throw CatalogError(error, path: path)
        }
        return QueryResult(columns: columns, rows: rows, isTruncated: isTruncated)
    }

    /// The largest result held in memory, bytes.
    private static let maximumHeldByteCount = 1 << 28

    /// Runs one statement as ``runReadOnly(sql:timeLimit:rowLimit:)`` does, and delivers its rows one by one.
    ///
    /// The file is locked for reading, and the time limit runs, until the last row has been taken.
    ///
    /// - Parameters:
    ///   - columns: Told the columns' names before the first row.
    ///   - row: Takes a row, a value per column; false ends the statement.
    /// - Returns: Whether there was a row more than were taken.
    /// - Throws: ``CatalogError`` as for ``runReadOnly(sql:timeLimit:rowLimit:)``, and what `columns` and `row` throw.
    package func streamReadOnly(
        sql: String, timeLimit: Double = 10, rowLimit: Int = 10_000, columns: ([String]) throws -> Void,
        row: ([CatalogValue]) throws -> Bool
    ) throws -> Bool {
        let connection = try RestrictedConnection(path: path, name: reading?.name ?? SQLiteName.literal(path))
        defer { connection.close() }
        return try connection.run(sql, timeLimit: timeLimit, rowLimit: rowLimit, columns: columns, row: row)
    }
}
