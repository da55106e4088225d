import GRDB

extension Catalog {
    /// Checks every page, reference and blob, and recomputes the derived columns.
    ///
    /// - Parameters:
    ///   - limit: Stops after this many problems.
    ///   - progress: Told the current step, and its share of the file in bytes.
    /// - Returns: The problems; empty for a sound catalog.
    /// - Throws: ``CatalogError`` only if the file cannot be read at all.
    package func verify(
        limit: Int = 100, progress: @escaping (_ step: String, _ done: Int, _ total: Int) -> Void = { _, _, _ in }
    ) throws(CatalogError) -> [VerificationProblem] {
        try read { database in
            // Rows that are looked up in no order stay at hand.
            let cache = try Int.fetchOne(database, sql: "PRAGMA cache_size") ?? -2000
            try database.execute(sql: "PRAGMA cache_size = -\(Self.verifyingCacheByteCount >> 10)")
            defer { try? database.execute(sql: "PRAGMA cache_size = \(cache); PRAGMA shrink_memory") }
            let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
            let size = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 0
            var inspection = CatalogInspection(
                catalog: self, database: database, limit: limit,
                progress: CheckProgress(
                    byteCount: pages.multipliedReportingOverflow(by: size).partialValue, tell: progress))
            do { try inspection.run() } catch {
                let error = CatalogError(error, path: path)
                guard error.code == .damaged else { throw error }
                inspection.add("file", error.message)
            }
            return inspection.problems
        }
    }

    /// Size of verification's page cache, bytes.
    static let verifyingCacheByteCount = 256 << 20
}
