import GRDBSQLite

/// Limits what a statement may do, and for how long: SQLite calls it while it compiles and runs the statement.
final class StatementGuardian {
    /// Why a statement was refused.
    private(set) var refusal: String?
    /// Whether the time has run out.
    private(set) var hasTimedOut = false
    /// Whether it takes more memory than it may.
    private(set) var isTooLarge = false
    /// Seconds.
    private(set) var timeLimit = 0.0

    private var deadline = ContinuousClock.now
    private var memoryBefore: Int64 = 0

    /// SQLite's virtual-machine steps between checks of the clock, a microsecond or, with the largest values, some
    /// hundredths of a second.
    private static let stepsBetweenLooks: Int32 = 50

    /// The most memory that SQLite may take for a statement, bytes.
    private static let memoryLimit: Int64 = 1 << 27

    /// Pragmas that only read. FTS5 uses the last one.
    private static let allowedPragmas: Set<String> = [
        "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list",
        "function_list", "collation_list", "compile_options", "data_version",
    ]

    /// Pragmas that only read when they are given no value.
    private static let allowedPragmasWithoutValue: Set<String> = [
        "user_version", "application_id", "page_size", "page_count", "encoding",
    ]

    /// Functions that neither write nor load nor take quadratic time; for those that
    /// SQLite itself implements so, see ``LinearFunctions``.
    private static let allowedFunctions = Set(
        """
        abs char coalesce concat concat_ws format glob hex if ifnull iif instr length like likelihood likely lower ltrim
        max min nullif octet_length printf quote random randomblob replace round rtrim sign sqlite_source_id
        sqlite_version substr substring trim typeof unhex unicode unlikely upper zeroblob
        date time datetime julianday unixepoch strftime timediff current_date current_time current_timestamp
        avg count group_concat string_agg sum total
        row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
        acos acosh asin asinh atan atan2 atanh ceil ceiling cos cosh degrees exp floor ln log log10 log2 mod pi pow power
        radians sin sinh sqrt tan tanh trunc
        json json_array json_array_length json_extract json_insert json_object json_quote json_remove json_replace
        json_set json_type json_valid json_group_array json_group_object json_error_position json_pretty -> ->>
        match highlight snippet bm25
        """.split { $0 == " " || $0 == "\n" }.map(String.init))

    /// Installs itself on `connection`, which it has to outlive.
    func install(on connection: OpaquePointer) {
        let this = Unmanaged.passUnretained(self).toOpaque()
        sqlite3_set_authorizer(
            connection,
            { this, action, first, second, _, _ in
                guard let this else { return SQLITE_DENY }
                let guardian = Unmanaged<StatementGuardian>.fromOpaque(this).takeUnretainedValue()
                return guardian.decide(
                    action, first.map { String(cString: $0) }, second.map { String(cString: $0) })
            },
            this)
        sqlite3_progress_handler(
            connection, Self.stepsBetweenLooks,
            { this in
                guard let this else { return 1 }
                return Unmanaged<StatementGuardian>.fromOpaque(this).takeUnretainedValue().isLate() ? 1 : 0
            },
            this)
    }

    /// Starts the clock for a statement.
    func start(timeLimit: Double) {
        self.timeLimit = timeLimit
        deadline = ContinuousClock.now + .seconds(timeLimit)
        memoryBefore = sqlite3_memory_used()
        refusal = nil
        hasTimedOut = false
        isTooLarge = false
    }

    /// Whether the time or memory limit is exceeded.
    func isLate() -> Bool {
        if ContinuousClock.now >= deadline { hasTimedOut = true }
        if sqlite3_memory_used() - memoryBefore > Self.memoryLimit { isTooLarge = true }
        return hasTimedOut || isTooLarge
    }

    private func decide(_ action: Int32, _ first: String?, _ second: String?) -> Int32 {
        // Compiling alone can take very long, if each of many subqueries expands to two of the next.
        if isLate() { return SQLITE_DENY }
        switch action {
        case SQLITE_SELECT, SQLITE_READ, SQLITE_RECURSIVE: return SQLITE_OK
        // A virtual table that tells SQLite its columns looks like this. A statement that really changes the schema
        // table fails by defensive mode, and once more by not being read-only.
        case SQLITE_UPDATE where first == "sqlite_master": return SQLITE_OK
        case SQLITE_FUNCTION:
            let name = second?.lowercased() ?? ""
            return Self.allowedFunctions.contains(name) ? SQLITE_OK : refuse("the function \(name) is not allowed here")
        case SQLITE_PRAGMA:
            let name = first?.lowercased() ?? ""
            if Self.allowedPragmas.contains(name) { return SQLITE_OK }
            if second == nil, Self.allowedPragmasWithoutValue.contains(name) { return SQLITE_OK }
            return refuse("PRAGMA \(name) is not allowed here")
        case SQLITE_ATTACH: return refuse("ATTACH is not allowed here")
        case SQLITE_DETACH: return refuse("DETACH is not allowed here")
        case SQLITE_TRANSACTION, SQLITE_SAVEPOINT: return refuse("transactions are not allowed here")
        default: return refuse("the statement would write; only reading is allowed here")
        }
    }

    private func refuse(_ reason: String) -> Int32 {
        if refusal == nil { refusal = reason }
        return SQLITE_DENY
    }
}
