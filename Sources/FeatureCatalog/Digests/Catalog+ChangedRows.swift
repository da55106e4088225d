import GRDB

extension Catalog {
    /// Refuses a catalog whose rows other software has changed, before they are copied into another: the copy's digests
    /// would match the changed rows, and the change would no longer be detectable.
    ///
    /// - Throws: ``CatalogError`` of the code `damaged`, with the first change.
    package func refuseChangedRows() throws(CatalogError) {
        let differences = try read { database in
            try RowReader(database: database, path: path).sums().differences(database)
        }
        guard let first = differences.first else { return }
        let others = differences.count - 1
        throw CatalogError(
            .damaged,
            "\(path): \(first.place): \(first.reason)" + (others > 0 ? " (and \(others) more parts)" : "")
                + "; see 'routesae verify'. To take them as they are, pack it with `acceptChanges`")
    }
}
