import GRDBSQLite
import Glibc

/// SQLite's settings for files and statements that are not trusted.
enum SQLiteDefense {
    /// Limits the size of values to the largest that the program writes, a row of a tensor.
    static func limitValues(_ connection: OpaquePointer) {
        sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, 1 << 29 + 1 << 22)
    }

    /// Forbids damaging the file through SQL: writing to the schema table and to shadow tables, and
    /// journal modes that cannot be rolled back.
    ///
    /// - Returns: Whether SQLite confirms that the mode is on.
    static func enableDefensiveMode(_ connection: OpaquePointer) -> Bool {
        // The function is variadic, so Swift cannot import it. On the platforms this runs on, a variadic C function
        // takes integer and pointer arguments exactly as an ordinary one does.
        typealias Configure = @convention(c) (OpaquePointer, Int32, Int32, UnsafeMutablePointer<Int32>?) -> Int32
        guard let symbol = dlsym(nil, "sqlite3_db_config") else { return false }
        let configure = unsafeBitCast(symbol, to: Configure.self)
        var isOn: Int32 = 0
        return configure(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, &isOn) == SQLITE_OK && isOn == 1
    }
}
