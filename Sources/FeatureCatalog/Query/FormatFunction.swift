import GRDBSQLite

/// Replaces `printf()` and `format()`, in which SQLite can repeat a character a billion times in one step before
/// checking the length. This checks the format first and leaves the rest to SQLite's own function, in an empty
/// in-memory database.
final class FormatFunction {
    private var database: OpaquePointer?
    /// Prepared statements by number of arguments.
    private var statements: [Int32: OpaquePointer] = [:]

    deinit {
        for statement in statements.values { sqlite3_finalize(statement) }
        sqlite3_close_v2(database)
    }

    /// Replaces SQLite's own on `connection`, which it has to outlive.
    func install(on connection: OpaquePointer) {
        let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS
        let this = Unmanaged.passUnretained(self).toOpaque()
        for name in ["printf", "format"] {
            sqlite3_create_function_v2(
                connection, name, -1, flags, this,
                { context, count, arguments in
                    guard let this = sqlite3_user_data(context) else { return }
                    Unmanaged<FormatFunction>.fromOpaque(this).takeUnretainedValue().call(context, count, arguments)
                }, nil, nil, nil)
        }
    }

    private func call(
        _ context: OpaquePointer?, _ count: Int32, _ arguments: UnsafeMutablePointer<OpaquePointer?>?
    ) {
        guard count > 0, let arguments, let connection = sqlite3_context_db_handle(context) else { return }
        let limit = sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, -1)
        let values = UnsafeBufferPointer(start: arguments, count: Int(count))
        guard Self.repetitions(values) <= Int(limit) else {
            sqlite3_result_error_toobig(context)
            return
        }
        guard let statement = statement(count, limit) else {
            sqlite3_result_error_nomem(context)
            return
        }
        for (place, value) in values.enumerated() { sqlite3_bind_value(statement, Int32(place + 1), value) }
        if sqlite3_step(statement) == SQLITE_ROW {
            sqlite3_result_value(context, sqlite3_column_value(statement, 0))
        } else {
            sqlite3_result_error_code(context, sqlite3_errcode(database))
        }
        sqlite3_reset(statement)
        sqlite3_clear_bindings(statement)
    }

    private func statement(_ count: Int32, _ limit: Int32) -> OpaquePointer? {
        if let statement = statements[count] { return statement }
        if database == nil,
            sqlite3_open_v2(
                ":memory:", &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK
        {
            sqlite3_limit(database, SQLITE_LIMIT_LENGTH, limit)
        }

        var statement: OpaquePointer?
        let places = Array(repeating: "?", count: Int(count)).joined(separator: ", ")
        guard sqlite3_prepare_v2(database, "SELECT printf(\(places))", -1, &statement, nil) == SQLITE_OK else {
            return nil
        }
        statements[count] = statement
        return statement
    }

    /// The total repetitions of the format's `%c`.
    private static func repetitions(_ values: UnsafeBufferPointer<OpaquePointer?>) -> Int {
        guard let start = sqlite3_value_text(values[0]) else { return 0 }
        let format = UnsafeBufferPointer(start: start, count: Int(sqlite3_value_bytes(values[0])))
        var used = 1
        func nextNumber() -> Int {
            defer { used += 1 }
            return used < values.count ? Int(Int32(truncatingIfNeeded: sqlite3_value_int64(values[used]))) : 0
        }

        var total = 0
        var place = 0
        while place < format.count {
            place += 1
            guard format[place - 1] == UInt8(ascii: "%") else { continue }
            var precision = 0
            var isPrecision = false
            // Flags, width and precision, then the conversion.
            scan: while place < format.count {
                switch format[place] {
                case UInt8(ascii: "."): (isPrecision, precision) = (true, 0)
                case UInt8(ascii: "*"):
                    let number = nextNumber()
                    if isPrecision { precision = abs(number) }
                case UInt8(ascii: "0")...UInt8(ascii: "9"):
                    let digit = UInt32(format[place] - UInt8(ascii: "0"))
                    if isPrecision {
                        // As SQLite parses it: numbers wrap around.
                        precision = Int((UInt32(truncatingIfNeeded: precision) &* 10 &+ digit) & 0x7FFF_FFFF)
                    }
                case UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: " "), UInt8(ascii: "#"), UInt8(ascii: "!"),
                    UInt8(ascii: ","), UInt8(ascii: "l"):
                    break
                default: break scan
                }
                place += 1
            }
            guard place < format.count else { break }
            switch format[place] {
            case UInt8(ascii: "%"), UInt8(ascii: "n"): break
            case UInt8(ascii: "c"):
                total += precision
                used += 1
            default: used += 1
            }
            place += 1
        }
        return total
    }
}
