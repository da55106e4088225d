import GRDB
import GRDBSQLite

/// One statement run many times with plain values: GRDB's statements wrap every value, which takes longer than
/// SQLite takes to store a context.
final class BulkInsert {
    private let statement: OpaquePointer
    private let connection: OpaquePointer
    private let path: String

    /// SQLite copies what is bound like this.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    init(_ database: Database, path: String, sql: String) throws(CatalogError) {
        guard let connection = database.sqliteConnection else {
            throw CatalogError(.failed, "\(path): the connection is closed")
        }

        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else {
            throw CatalogError(resultCode: code, message: String(cString: sqlite3_errmsg(connection)), path: path)
        }
        self.statement = statement
        self.connection = connection
        self.path = path
    }

    deinit {
        sqlite3_finalize(statement)
    }

    /// Binds an integer; columns are numbered from 1.
    func bind(_ column: Int32, _ value: Int) { sqlite3_bind_int64(statement, column, Int64(value)) }

    func bind(_ column: Int32, _ value: Int64) { sqlite3_bind_int64(statement, column, value) }

    func bind(_ column: Int32, _ value: Int?) {
        if let value { bind(column, value) } else { sqlite3_bind_null(statement, column) }
    }

    func bind(_ column: Int32, _ value: Double?) {
        // SQLite keeps no NaN: it would become NULL without a word.
        if let value { sqlite3_bind_double(statement, column, value) } else { sqlite3_bind_null(statement, column) }
    }

    func bind(_ column: Int32, _ value: Float?) { bind(column, value.map(Double.init)) }

    func bind(_ column: Int32, _ value: String?) {
        guard var value else {
            sqlite3_bind_null(statement, column)
            return
        }
        value.withUTF8 { bytes in
            _ = bytes.withMemoryRebound(to: CChar.self) {
                sqlite3_bind_text64(
                    statement, column, $0.baseAddress ?? UnsafePointer(bitPattern: 1), UInt64($0.count),
                    Self.transient, UInt8(SQLITE_UTF8))
            }
        }
    }

    /// Binds a value as it is, whatever its type.
    func bind(_ column: Int32, _ value: DatabaseValue) {
        switch value.storage {
        case .null: sqlite3_bind_null(statement, column)
        case .int64(let integer): bind(column, integer)
        case .double(let real): bind(column, real)
        case .string(let text): bind(column, text)
        case .blob(let bytes): bind(column, Array(bytes))
        }
    }

    func bind(_ column: Int32, _ value: [UInt8]) {
        _ = value.withUnsafeBytes {
            sqlite3_bind_blob64(
                statement, column, $0.baseAddress ?? UnsafeRawPointer(bitPattern: 1), UInt64($0.count), Self.transient)
        }
    }

    /// Runs the statement with what is bound.
    func run() throws(CatalogError) {
        let code = sqlite3_step(statement)
        let reset = sqlite3_reset(statement)
        guard code == SQLITE_DONE else {
            throw CatalogError(
                resultCode: reset == SQLITE_OK ? code : reset, message: String(cString: sqlite3_errmsg(connection)),
                path: path)
        }
    }
}
