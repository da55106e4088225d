import GRDB

extension Catalog {
    /// Lets the file grow no further than `pageCount` pages, as a full disk would.
    package func limitPages(to pageCount: Int) throws(CatalogError) {
        do {
            try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = \(pageCount)") }
        } catch {
            throw CatalogError(error, path: path)
        }
    }

    /// The number of pages that the file has.
    package func pageCount() throws(CatalogError) -> Int {
        try read { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 }
    }

    /// The schema's statements in the order of creation, each ended; what `schema/catalog.sql` holds.
    package func schemaText() throws(CatalogError) -> String {
        try read { database in
            try SchemaEntry.all(database).filter { !$0.sql.isEmpty && !$0.isShadowTable && !$0.isStatisticsTable }
                .map { $0.sql + ";\n" }.joined(separator: "\n")
        }
    }
}
