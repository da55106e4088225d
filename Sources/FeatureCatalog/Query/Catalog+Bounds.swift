import GRDB
import GRDBSQLite

extension Catalog {
    /// Limits SQLite's memory in this process, all connections together, in bytes; allocations beyond fail. For
    /// programs that only read: a writer's cache alone is larger.
    package static func limitMemory(toByteCount count: Int) {
        sqlite3_hard_heap_limit64(Int64(count))
    }

    /// Runs `body` with a time limit for its statements and a limit of 16 MiB for values.
    ///
    /// - Parameter seconds: How long all of them may take together.
    /// - Throws: ``CatalogError`` `.timedOut`, and whatever `body` throws.
    package func bounded<Value>(seconds: Double, _ body: () throws -> Value) throws -> Value {
        let clock = StatementClock(deadline: ContinuousClock.now + .seconds(seconds))
        return try queue.unsafeReentrantRead { database in
            guard let connection = database.sqliteConnection else { return try body() }
            let length = sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, Self.boundedValueByteCount)
            sqlite3_progress_handler(
                connection, StatementClock.stepsBetweenLooks,
                { clock in
                    guard let clock else { return 1 }
                    return Unmanaged<StatementClock>.fromOpaque(clock).takeUnretainedValue().isOver ? 1 : 0
                },
                Unmanaged.passUnretained(clock).toOpaque())
            defer {
                sqlite3_progress_handler(connection, 0, nil, nil)
                sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, length)
            }
            do { return try withExtendedLifetime(clock, body) } catch let error as CatalogError
                where error.code == .timedOut
            {
                throw CatalogError(.timedOut, "\(path): stopped after \(seconds) seconds")
            }
        }
    }

    private static let boundedValueByteCount: Int32 = 1 << 24

    /// The deadline of statements.
    private final class StatementClock {
        /// SQLite's virtual-machine steps between checks of the clock, some microseconds.
        static let stepsBetweenLooks: Int32 = 200

        let deadline: ContinuousClock.Instant

        init(deadline: ContinuousClock.Instant) {
            self.deadline = deadline
        }

        var isOver: Bool { ContinuousClock.now >= deadline }
    }
}
