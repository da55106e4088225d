extension Catalog {
    /// What others added to the file: tables, views, indexes and triggers of their own, which nothing here reads, runs
    /// or writes.
    ///
    /// - Returns: In the order in which they were made; empty for a catalog as it comes from here.
    /// - Throws: ``CatalogError`` `.refused` if the schema has been changed since the catalog was opened.
    package func additions() throws(CatalogError) -> [SchemaAddition] {
        try read { try SchemaCheck.run($0, path: path, allowingOlder: false)?.all ?? [] }
    }
}
