import GRDB
import Synchronization

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

    /// The statements that `body` runs on this catalog's connection, as they are written; those of triggers, which
    /// SQLite tells as comments, left out.
    package func statements(during body: () throws -> Void) throws -> [String] {
        final class Record: Sendable {
            let statements = Mutex<[String]>([])
        }

        let record = Record()
        queue.inDatabase { database in
            database.trace { event in
                guard case .statement(let statement) = event, !statement.sql.hasPrefix("--") else { return }
                let sql = statement.sql
                record.statements.withLock { $0.append(sql) }
            }
        }

        let result = Result { try body() }
        queue.inDatabase { $0.trace(options: []) }
        try result.get()
        return record.statements.withLock(\.self)
    }

    /// The schema's statements in the order of creation, each ended; what `schema/catalog.sql` holds.
    package func schemaText() throws(CatalogError) -> String {
        try read { database in
            try SchemaEntry.all(database).filter { !$0.sql.isEmpty && !$0.isShadowTable && !$0.isStatisticsTable }
                .map { $0.sql + ";\n" }.joined(separator: "\n")
        }
    }
}
