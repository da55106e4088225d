import CSQLiteRows
import GRDB
import GRDBSQLite

/// The rows of one SELECT, read without GRDB's wrapping of every value: used to scan
/// millions of rows.
///
/// A file from elsewhere may violate its schema, so every value is checked before use.
final class BulkRead {
    private let statement: OpaquePointer
    private let connection: OpaquePointer
    private let path: String

    init(_ database: Database, path: String, sql: String) throws(CatalogError) {
        guard let connection = database.sqliteConnection else {
            throw CatalogError(.failed, "\(path): the connection is closed")
        }

        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(connection, sql, -1, 0, &statement, nil)
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

    /// Goes to the next row; false behind the last.
    func next() throws(CatalogError) -> Bool {
        let code = sqlite3_step(statement)
        if code == SQLITE_ROW { return true }
        guard code == SQLITE_DONE else {
            throw CatalogError(resultCode: code, message: String(cString: sqlite3_errmsg(connection)), path: path)
        }
        return false
    }

    /// An integer; columns are numbered from 0.
    func integer(_ column: Int32) throws(CatalogError) -> Int {
        guard sqlite3_column_type(statement, column) == SQLITE_INTEGER else { throw wrongType(column) }
        return Int(sqlite3_column_int64(statement, column))
    }

    func optionalInteger(_ column: Int32) throws(CatalogError) -> Int? {
        isNull(column) ? nil : try integer(column)
    }

    func real(_ column: Int32) throws(CatalogError) -> Double {
        guard sqlite3_column_type(statement, column) == SQLITE_FLOAT else { throw wrongType(column) }
        return sqlite3_column_double(statement, column)
    }

    func optionalReal(_ column: Int32) throws(CatalogError) -> Double? {
        isNull(column) ? nil : try real(column)
    }

    func text(_ column: Int32) throws(CatalogError) -> String {
        try withText(column) { String(decoding: $0, as: UTF8.self) }
    }

    func optionalText(_ column: Int32) throws(CatalogError) -> String? {
        isNull(column) ? nil : try text(column)
    }

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

    /// A text in UTF-8, valid within `body`.
    func withText<Value>(_ column: Int32, _ body: (UnsafeRawBufferPointer) -> Value) throws(CatalogError) -> Value {
        guard sqlite3_column_type(statement, column) == SQLITE_TEXT else { throw wrongType(column) }
        let start = sqlite3_column_text(statement, column)
        return body(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
    }

    /// The bytes of a blob, or of a text in the file's encoding, valid within `body`.
    func withBytes<Value>(_ column: Int32, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        let start = sqlite3_column_blob(statement, column)
        return body(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
    }

    /// SQLite's code for the type that a value has.
    func type(_ column: Int32) -> Int32 { sqlite3_column_type(statement, column) }

    /// The bits of an integer or a real number, whichever `type` says it is.
    func bits(_ column: Int32, _ type: Int32) -> UInt64 {
        type == SQLITE_FLOAT
            ? sqlite3_column_double(statement, column).bitPattern
            : UInt64(bitPattern: sqlite3_column_int64(statement, column))
    }

    /// An integer, or what SQLite makes of anything else.
    func number(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

    /// Appends the first columns of the row as `sqlite_rows.h` describes; false if memory runs out.
    func append(to bytes: inout rsae_bytes, areReal: [Bool]) -> Bool {
        rsae_append_statement_row(&bytes, statement, areReal, Int32(areReal.count))
    }

    private func wrongType(_ column: Int32) -> CatalogError {
        let name = sqlite3_column_name(statement, column).map { String(cString: $0) } ?? ""
        return CatalogError(.damaged, "\(path): column \(name) holds a value of another type")
    }
}
