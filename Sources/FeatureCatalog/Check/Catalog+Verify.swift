import GRDB

extension Catalog {
    /// Looks at every page, reference and blob, and works the derived columns out again.
    ///
    /// - Parameter limit: Problems after which it stops looking.
    /// - Returns: What is wrong; empty if nothing is.
    /// - Throws: ``CatalogError`` only if the file cannot be read at all.
    public func verify(limit: Int = 100) throws(CatalogError) -> [VerificationProblem] {
        try read { database in
            var inspection = CatalogInspection(catalog: self, database: database, limit: limit)
            do {
                try inspection.run()
            } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
                inspection.add("file", error.message ?? "damaged")
            } catch let error as CatalogError where error.code == .damaged {
                inspection.add("file", error.message)
            }
            return inspection.problems
        }
    }
}
