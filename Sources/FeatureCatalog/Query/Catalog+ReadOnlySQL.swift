extension Catalog {
    /// Runs one statement that a person wrote, on a connection of its own that can only read.
    ///
    /// An authorizer lets nothing through but SELECT with SQLite's harmless functions and descriptions of tables: no
    /// ATTACH, no writing, no settings, no extensions.
    ///
    /// - Parameters:
    ///   - sql: The statement.
    ///   - timeLimit: Seconds after which it is stopped.
    ///   - rowLimit: Rows after which the rest is left out and the result says so.
    /// - Throws: ``CatalogError`` `.refused`, `.invalidSQL`, `.timedOut`, `.damaged` or `.busy`.
    public func runReadOnly(
        sql: String, timeLimit: Double = 10, rowLimit: Int = 10_000
    ) throws(CatalogError) -> QueryResult {
        let connection = try RestrictedConnection(path: path)
        defer { connection.close() }
        return try connection.run(sql, timeLimit: timeLimit, rowLimit: rowLimit)
    }
}
