import GRDB
import Synchronization

extension Catalog {
    /// Runs a statement in a transaction, as any SQLite tool could; for tests.
    package func execute(sql: String) throws(CatalogError) {
        try write { try $0.execute(sql: sql) }
    }

    /// The statements that `body` runs on this catalog's connection, as they are written; those of triggers, which
    /// SQLite tells as comments, left out; for tests.
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
}
