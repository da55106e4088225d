import Dispatch
import GRDB
import Synchronization

/// Checks every page of the file, every entry of its indexes, and every row of its tables as bytes.
struct PagesCheck {
    /// The result.
    struct Found {
        /// Problems of the file's pages and indexes.
        var lines: [String] = []
        /// Sums of all rows, if pages and indexes are sound.
        var sums: RowSums = [:]
    }

    private let database: Database
    private let path: String
    private let limit: Int

    init(_ database: Database, path: String, limit: Int) {
        self.database = database
        self.path = path
        self.limit = limit
    }

    func run() throws -> Found {
        let tables = try SchemaEntry.own(database).filter { $0.type == "table" && !$0.sql.hasPrefix("CREATE VIRTUAL") }
        // The whole file; where others have added to it, the tables that are ours, since of all others SQLite would work
        // out what their indexes and columns hold.
        let isPlain = try SchemaCheck.run(database, path: path, allowingOlder: false) == nil
        let parts = isPlain ? ["\(limit)"] : ["sqlite_schema"] + tables.map { "\"\($0.name)\"" }
        var found = Found()
        found.lines = try parts.flatMap { try lines("quick_check(\($0))") }
        guard found.lines.isEmpty else { return found }
        var comparisons: [String: IndexComparison] = [:]
        for table in tables {
            comparisons[table.name] = try IndexComparison(table, database)
            guard comparisons[table.name] == nil else { continue }
            found.lines += try lines("integrity_check(\"\(table.name)\")")
        }

        let reader = RowReader(database: database, path: path)
        for (number, table) in DigestedTable.all.enumerated() {
            var comparison = comparisons[table.name]
            let sums = try reader.sums(ofTable: number) { comparison?.add($0) }
            found.sums.merge(sums) { $1 }
            found.lines += try comparison?.contradictions(database, path: path) ?? []
        }
        return found
    }

    private func lines(_ pragma: String) throws -> [String] {
        try String.fetchAll(database, sql: "PRAGMA \(pragma)").filter { $0 != "ok" }
    }
}

extension PagesCheck {
    /// A check that runs in parallel on a thread and a connection of its own.
    final class Running: Sendable {
        private let isDone = DispatchSemaphore(value: 0)
        private let result = Mutex<Result<Found, CatalogError>>(.success(Found()))

        /// Starts; nil if the file cannot be opened a second time, as while it is written.
        init?(_ catalog: Catalog, limit: Int) {
            let path = catalog.path
            guard catalog.mode == .readOnly,
                let queue = try? Catalog.connect(path: path, mode: .readOnly, allowingOlder: false).queue
            else { return nil }
            DispatchQueue.global().async { [self] in
                let found = Result<Found, CatalogError> { () throws(CatalogError) in
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
        func wait() throws(CatalogError) -> Found {
            isDone.wait()
            return try result.withLock { $0 }.get()
        }
    }
}
