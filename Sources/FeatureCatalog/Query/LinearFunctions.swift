import GRDBSQLite

/// Replacements for SQLite's quadratic text functions: with two texts of a megabyte one call takes
/// a day, during which SQLite cannot be interrupted. These take linear time.
enum LinearFunctions {
    private typealias Bytes = UnsafeRawBufferPointer

    /// Replaces SQLite's own functions.
    static func install(on connection: OpaquePointer) {
        let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS
        sqlite3_create_function_v2(connection, "instr", 2, flags, nil, { LinearFunctions.instr($0, $2) }, nil, nil, nil)
        sqlite3_create_function_v2(
            connection, "replace", 3, flags, nil, { LinearFunctions.replace($0, $2) }, nil, nil, nil)
        sqlite3_create_function_v2(
            connection, "trim", 2, flags, nil, { LinearFunctions.trim($0, $2, .both) }, nil, nil, nil)
        sqlite3_create_function_v2(
            connection, "ltrim", 2, flags, nil, { LinearFunctions.trim($0, $2, .start) }, nil, nil, nil)
        sqlite3_create_function_v2(
            connection, "rtrim", 2, flags, nil, { LinearFunctions.trim($0, $2, .end) }, nil, nil, nil)
    }

    /// `instr(X, Y)`: the position of Y in X from 1, in characters, or in bytes if both are blobs; 0 if absent.
    private static func instr(_ context: OpaquePointer?, _ arguments: UnsafeMutablePointer<OpaquePointer?>?) {
        guard let arguments, !isNull(arguments[0]), !isNull(arguments[1]) else { return }
        let areBlobs = isBlob(arguments[0]) && isBlob(arguments[1])
        let text = bytes(arguments[0], asBlob: areBlobs)
        let wanted = bytes(arguments[1], asBlob: areBlobs)
        guard let place = Pattern(wanted).first(in: text, from: 0) else {
            sqlite3_result_int64(context, 0)
            return
        }

        let before = areBlobs ? place : text[..<place].reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
        sqlite3_result_int64(context, Int64(before + 1))
    }

    /// `replace(X, Y, Z)`: X with every Y replaced by Z.
    private static func replace(_ context: OpaquePointer?, _ arguments: UnsafeMutablePointer<OpaquePointer?>?) {
        guard let arguments, (0..<3).allSatisfy({ !isNull(arguments[$0]) }) else { return }
        let text = bytes(arguments[0], asBlob: false)
        let pattern = Pattern(bytes(arguments[1], asBlob: false))
        let substitute = bytes(arguments[2], asBlob: false)
        guard pattern.count > 0 else {
            sqlite3_result_value(context, arguments[0])
            return
        }

        let limit = Int(sqlite3_limit(sqlite3_context_db_handle(context), SQLITE_LIMIT_LENGTH, -1))
        var result: [UInt8] = []
        var start = 0
        while let place = pattern.first(in: text, from: start) {
            result += text[start..<place]
            result += substitute
            start = place + pattern.count
            guard result.count <= limit else {
                sqlite3_result_error_toobig(context)
                return
            }
        }
        result += text[start...]
        give(context, result[...])
    }

    private enum End { case start, end, both }

    /// `trim(X, Y)` and similar: X without the characters of Y at its ends.
    private static func trim(
        _ context: OpaquePointer?, _ arguments: UnsafeMutablePointer<OpaquePointer?>?, _ ends: End
    ) {
        guard let arguments, !isNull(arguments[0]), !isNull(arguments[1]) else { return }
        let scalars = Array(String(decoding: bytes(arguments[0], asBlob: false), as: UTF8.self).unicodeScalars)
        let unwanted = Set(String(decoding: bytes(arguments[1], asBlob: false), as: UTF8.self).unicodeScalars)
        var rest = scalars[...]
        if ends != .end { rest = rest.drop { unwanted.contains($0) } }
        if ends != .start {
            while let last = rest.last, unwanted.contains(last) { rest = rest.dropLast() }
        }

        var result = String.UnicodeScalarView()
        result.append(contentsOf: rest)
        give(context, Array(String(result).utf8)[...])
    }

    private static func isNull(_ value: OpaquePointer?) -> Bool { sqlite3_value_type(value) == SQLITE_NULL }

    private static func isBlob(_ value: OpaquePointer?) -> Bool { sqlite3_value_type(value) == SQLITE_BLOB }

    /// The bytes of a value, valid until SQLite converts it.
    private static func bytes(_ value: OpaquePointer?, asBlob: Bool) -> Bytes {
        let start = asBlob ? sqlite3_value_blob(value) : sqlite3_value_text(value).map { UnsafeRawPointer($0) }
        return Bytes(start: start, count: start == nil ? 0 : Int(sqlite3_value_bytes(value)))
    }

    private static func give(_ context: OpaquePointer?, _ text: ArraySlice<UInt8>) {
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        text.withUnsafeBytes {
            // An empty text is not NULL.
            let start = $0.baseAddress?.assumingMemoryBound(to: CChar.self)
            sqlite3_result_text64(
                context, start ?? UnsafePointer(bitPattern: 1), UInt64($0.count), transient, UInt8(SQLITE_UTF8))
        }
    }

    /// A search pattern, by the algorithm of Knuth, Morris and Pratt.
    private struct Pattern {
        private let bytes: Bytes
        /// For every matched length, the longest shorter length with which matching can continue.
        private let fallbacks: [Int32]

        var count: Int { bytes.count }

        init(_ bytes: Bytes) {
            var fallbacks = [Int32](repeating: 0, count: bytes.count + 1)
            var length = 0
            for index in bytes.indices.dropFirst() {
                while length > 0, bytes[index] != bytes[length] { length = Int(fallbacks[length]) }
                if bytes[index] == bytes[length] { length += 1 }
                fallbacks[index + 1] = Int32(length)
            }
            self.bytes = bytes
            self.fallbacks = fallbacks
        }

        func first(in text: Bytes, from start: Int) -> Int? {
            guard count > 0 else { return start }
            var length = 0
            for index in start..<text.count {
                while length > 0, text[index] != bytes[length] { length = Int(fallbacks[length]) }
                if text[index] == bytes[length] { length += 1 }
                if length == count { return index + 1 - count }
            }
            return nil
        }
    }
}
