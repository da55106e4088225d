import GRDB

/// A catalog file: dictionaries of features, their origins, and everything known about them.
///
/// One connection, used by one thread at a time; others wait. Every writing method is one whole transaction: either
/// all of its rows are there afterwards or none.
package final class Catalog: Sendable {
    /// The mode of opening.
    package enum Mode: Sendable {
        /// For reading; the file does not change.
        case readOnly
        /// For writing, by one process; others may read meanwhile.
        case readWrite
    }

    /// The file.
    package let path: String

    /// The mode of opening.
    package let mode: Mode

    let queue: DatabaseQueue

    /// How a read-only file is accessed.
    let reading: ReadingAccess?

    /// Records the rows that this connection changes.
    let recorder = ChangeRecorder()

    init(path: String, mode: Mode, queue: DatabaseQueue, reading: ReadingAccess? = nil) {
        self.path = path
        self.mode = mode
        self.queue = queue
        self.reading = reading
    }

    /// Runs `body` on the connection, also from within `body` of another call.
    func read<Value>(_ body: (Database) throws -> Value) throws(CatalogError) -> Value {
        do { return try queue.unsafeReentrantRead(body) } catch { throw CatalogError(error, path: path) }
    }

    /// Runs `body` on one snapshot of the file, unaffected by writers. Many statements are faster this way, as
    /// none has to lock the file for itself.
    ///
    /// - Throws: ``CatalogError``, and whatever `body` throws.
    package func snapshot<Value>(_ body: () throws -> Value) throws -> Value {
        try queue.unsafeReentrantRead { database in
            guard mode == .readOnly, !database.isInsideTransaction else { return try body() }
            do { try database.execute(sql: "BEGIN") } catch { throw CatalogError(error, path: path) }
            defer { try? database.execute(sql: "COMMIT") }
            return try body()
        }
    }

    /// Checks that a file read without locks, in a read-only folder, has not changed
    /// meanwhile.
    ///
    /// - Throws: ``CatalogError`` `.busy` if it was.
    package func checkUnchanged() throws(CatalogError) {
        try reading?.checkUnchanged()
    }

    /// Runs `body` in a transaction, or in a savepoint of the one that is open.
    func write<Value>(_ body: (Database) throws -> Value) throws(CatalogError) -> Value {
        do { return try writeRethrowing(body) } catch { throw CatalogError(error, path: path) }
    }

    /// As `write`, for a `body` that throws its caller's errors; those of the database are translated.
    func writeRethrowing<Value>(_ body: (Database) throws -> Value) throws -> Value {
        guard mode == .readWrite else {
            throw CatalogError(.cannotWrite, "\(path): opened for reading only")
        }
        do {
            return try queue.unsafeReentrantWrite { database in
                var value: Value?
                let isOutermost = !database.isInsideTransaction
                let before = recorder.changes
                do {
                    try database.inSavepoint {
                        value = try body(database)
                        if isOutermost { try recorder.record(in: database, path: path) }
                        return .commit
                    }
                } catch {
                    recorder.changes = before
                    throw error
                }
                guard let value else { preconditionFailure("a committed savepoint has run its body") }
                return value
            }
        } catch let error as DatabaseError {
            throw CatalogError(error, path: path)
        }
    }
}
