import GRDBSQLite

/// A SQLite connection for untrusted statements.
///
/// GRDB reserves a connection's authorizer, so this one calls SQLite directly.
final class RestrictedConnection {
    /// The largest value, statement or row, bytes.
    private static let maximumValueByteCount: Int32 = 1 << 22
    private static let maximumSQLByteCount: Int32 = 1 << 20
    /// The most SELECTs that a statement may expand to.
    private static let maximumSelectCount = 10_000
    /// The most bytes of a row, of which a program makes several copies.
    private static let maximumRowByteCount = 1 << 24

    private let path: String
    private let connection: OpaquePointer
    private let guardian = StatementGuardian()
    private let format = FormatFunction()

    /// - Parameter name: what SQLite opens: the file, or a URI of it.
    init(path: String, name: String) throws(CatalogError) {
        var handle: OpaquePointer?
        let code = sqlite3_open_v2(name, &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let handle else {
            sqlite3_close_v2(handle)
            throw CatalogError(resultCode: code, message: String(cString: sqlite3_errstr(code)), path: path)
        }
        self.path = path
        connection = handle
        do { try configure() } catch {
            sqlite3_close_v2(handle)
            throw error
        }
    }

    func close() {
        sqlite3_close_v2(connection)
    }

    /// Runs a statement.
    ///
    /// - Returns: Whether rows were left out.
    /// - Throws: `CatalogError`, and what `columns` and `row` throw.
    func run(
        _ sql: String, timeLimit: Double, rowLimit: Int, columns: ([String]) throws -> Void,
        row: ([CatalogValue]) throws -> Bool
    ) throws -> Bool {
        var bytes = Array(sql.utf8CString)
        if let end = bytes.firstIndex(of: 0), end < bytes.count - 1 {
            throw CatalogError(.invalidSQL, "\(path): the statement holds a zero character")
        }
        if bytes.count > Int(Self.maximumSQLByteCount) {
            throw CatalogError(.invalidSQL, "\(path): the statement is longer than a million characters")
        }
        guard CommonTables.expandedCount(sql) <= Self.maximumSelectCount else {
            throw CatalogError(
                .refused, "\(path): the statement's tables stand for too many others; name them fewer times")
        }
        guardian.start(timeLimit: timeLimit)
        var statement: OpaquePointer?
        var isAlone = true
        let code = bytes.withUnsafeMutableBufferPointer { buffer in
            var tail: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v2(connection, buffer.baseAddress, -1, &statement, &tail)
            if code == SQLITE_OK, statement != nil, let tail { isAlone = isBlank(tail) }
            return code
        }
        defer { sqlite3_finalize(statement) }
        guard code == SQLITE_OK else { throw failure(code) }
        guard let statement else { throw CatalogError(.invalidSQL, "\(path): no statement") }
        guard isAlone else { throw CatalogError(.refused, "\(path): one statement at a time") }
        guard sqlite3_stmt_readonly(statement) != 0 else {
            throw CatalogError(.refused, "\(path): the statement would write; only reading is allowed here")
        }
        return try step(statement, rowLimit: rowLimit, columns: columns, row: row)
    }

    private func configure() throws(CatalogError) {
        sqlite3_extended_result_codes(connection, 1)
        guard SQLiteDefense.enableDefensiveMode(connection) else {
            throw CatalogError(.failed, "\(path): SQLite has no defensive mode")
        }

        let settings = """
            PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA query_only = ON;
            PRAGMA busy_timeout = 5000;
            """
        let code = sqlite3_exec(connection, settings, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code) }
        sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, Self.maximumValueByteCount)
        sqlite3_limit(connection, SQLITE_LIMIT_SQL_LENGTH, Self.maximumSQLByteCount)
        sqlite3_limit(connection, SQLITE_LIMIT_ATTACHED, 0)
        sqlite3_limit(connection, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50)
        sqlite3_limit(connection, SQLITE_LIMIT_FUNCTION_ARG, 32)
        sqlite3_limit(connection, SQLITE_LIMIT_WORKER_THREADS, 0)
        LinearFunctions.install(on: connection)
        format.install(on: connection)
        guardian.install(on: connection)
    }

    private func step(
        _ statement: OpaquePointer, rowLimit: Int, columns: ([String]) throws -> Void,
        row: ([CatalogValue]) throws -> Bool
    ) throws -> Bool {
        let columnCount = sqlite3_column_count(statement)
        var rowCount = 0
        while true {
            let code = sqlite3_step(statement)
            if rowCount == 0, code == SQLITE_DONE || code == SQLITE_ROW {
                try columns(
                    (0..<columnCount).map { index in
                        sqlite3_column_name(statement, index).map { String(cString: $0) } ?? ""
                    })
            }
            if code == SQLITE_DONE { return false }
            // Between two rows SQLite may take too few steps to ask.
            guard code == SQLITE_ROW, !guardian.isLate() else { throw failure(code) }
            if rowCount >= rowLimit { return true }
            let byteCount = (0..<columnCount).reduce(0) { $0 + Int(sqlite3_column_bytes(statement, $1)) }
            guard byteCount <= Self.maximumRowByteCount else {
                throw CatalogError(.refused, "\(path): a row holds more than 16 MiB; ask for fewer columns")
            }
            guard try row((0..<columnCount).map { value(statement, $0) }) else { return true }
            rowCount += 1
        }
    }

    private func value(_ statement: OpaquePointer, _ index: Int32) -> CatalogValue {
        switch sqlite3_column_type(statement, index) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, index))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, index))
        case SQLITE_TEXT:
            guard let start = sqlite3_column_text(statement, index) else { return .null }
            let count = Int(sqlite3_column_bytes(statement, index))
            return .text(String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self))
        case SQLITE_BLOB:
            guard let start = sqlite3_column_blob(statement, index) else { return .blob([]) }
            let count = Int(sqlite3_column_bytes(statement, index))
            return .blob(Array(UnsafeRawBufferPointer(start: start, count: count)))
        default: return .null
        }
    }

    /// Whether only spaces, semicolons and comments follow a statement.
    private func isBlank(_ tail: UnsafePointer<CChar>) -> Bool {
        var rest = tail
        while rest.pointee != 0 {
            var statement: OpaquePointer?
            var next: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v2(connection, rest, -1, &statement, &next)
            let isNothing = code == SQLITE_OK && statement == nil
            sqlite3_finalize(statement)
            guard isNothing, let next, next > rest else { return isNothing }
            rest = next
        }
        return true
    }

    private func failure(_ code: Int32) -> CatalogError {
        if let refusal = guardian.refusal {
            return CatalogError(.refused, "\(path): \(refusal)")
        }
        if guardian.isTooLarge || code & 0xFF == SQLITE_NOMEM {
            return CatalogError(.refused, "\(path): the statement takes too much memory")
        }
        if guardian.hasTimedOut {
            return CatalogError(.timedOut, "\(path): stopped after \(guardian.timeLimit) seconds")
        }

        let message = String(cString: sqlite3_errmsg(connection))
        // Defensive mode has no error code of its own.
        if message.hasSuffix("may not be modified") { return CatalogError(.refused, "\(path): \(message)") }
        return CatalogError(resultCode: code, message: message, path: path)
    }
}
