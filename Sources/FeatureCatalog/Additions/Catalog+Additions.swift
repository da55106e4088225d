extension Catalog {
    /// Additions of other software: tables, views, indexes and triggers, which are never read, run
    /// or written here.
    ///
    /// - Returns: In order of creation; empty for a catalog without additions.
    /// - Throws: ``CatalogError`` `.refused` if the schema has been changed since the catalog was opened.
    package func additions() throws(CatalogError) -> [SchemaAddition] {
        try read { try SchemaCheck.run($0, path: path, allowingOlder: false)?.all ?? [] }
    }
}
