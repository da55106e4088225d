import Dispatch
import GRDB
import Synchronization

/// Looks at every page of the file and every entry of its indexes.
struct PagesCheck {
    private let database: Database
    private let path: String
    private let limit: Int

    init(_ database: Database, path: String, limit: Int) {
        self.database = database
        self.path = path
        self.limit = limit
    }

    /// - Returns: What is wrong.
    func run() throws -> [String] {
        let tables = try SchemaEntry.own(database).filter { $0.type == "table" && !$0.sql.hasPrefix("CREATE VIRTUAL") }
        // The whole file; where others have added to it, the tables that are ours, since of all others SQLite would work
        // out what their indexes and columns hold.
        let isPlain = try SchemaCheck.run(database, path: path, allowingOlder: false) == nil
        let parts = isPlain ? ["\(limit)"] : ["sqlite_schema"] + tables.map { "\"\($0.name)\"" }
        let found = try parts.flatMap { try lines("quick_check(\($0))") }
        guard found.isEmpty else { return found }
        return try tables.flatMap { table in
            try IndexComparison(table, database)?.run(database, path: path)
                ?? lines("integrity_check(\"\(table.name)\")")
        }
    }

    private func lines(_ pragma: String) throws -> [String] {
        try String.fetchAll(database, sql: "PRAGMA \(pragma)").filter { $0 != "ok" }
    }
}

extension PagesCheck {
    /// A check that runs on a thread and a connection of its own, beside all others.
    final class Running: Sendable {
        private let isDone = DispatchSemaphore(value: 0)
        private let result = Mutex<Result<[String], CatalogError>>(.success([]))

        /// Starts; nil where the file cannot be read a second time, as while it is written.
        init?(_ catalog: Catalog, limit: Int) {
            let path = catalog.path
            guard catalog.mode == .readOnly,
                let queue = try? Catalog.connect(path: path, mode: .readOnly, allowingOlder: false).queue
            else { return nil }
            DispatchQueue.global().async { [self] in
                let found = Result<[String], CatalogError> { () throws(CatalogError) in
                    do {
                        return try queue.unsafeRead { database in
                            try database.execute(
                                sql: "PRAGMA cache_size = -\(Catalog.verifyingCacheByteCount >> 11); BEGIN")
                            defer { try? database.execute(sql: "ROLLBACK") }
                            return try PagesCheck(database, path: path, limit: limit).run()
                        }
                    } catch { throw CatalogError(error, path: path) }
                }
                try? queue.close()
                result.withLock { $0 = found }
                isDone.signal()
            }
        }

        /// Waits for it.
        ///
        /// - Returns: What is wrong.
        func wait() throws(CatalogError) -> [String] {
            isDone.wait()
            return try result.withLock { $0 }.get()
        }
    }
}
