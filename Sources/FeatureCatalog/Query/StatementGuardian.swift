import GRDBSQLite

/// Decides what a statement may do, and for how long: SQLite asks it while it compiles and while it runs.
final class StatementGuardian {
    /// Why a statement was refused.
    private(set) var refusal: String?
    /// Whether the time has run out.
    private(set) var hasTimedOut = false
    /// Seconds.
    private(set) var timeLimit = 0.0

    private var deadline = ContinuousClock.now

    /// Steps of SQLite's machine between looks at the clock, some tens of microseconds.
    private static let stepsBetweenLooks: Int32 = 2000

    /// Settings that tell something and change nothing. FTS5 asks for the last one.
    private static let allowedPragmas: Set<String> = [
        "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list",
        "function_list", "collation_list", "compile_options", "data_version",
    ]

    /// Such settings as change something when they are given a value.
    private static let allowedPragmasWithoutValue: Set<String> = [
        "user_version", "application_id", "page_size", "page_count", "encoding",
    ]

    private static let refusedFunctions: Set<String> = [
        "load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "sqlite_compileoption_get",
    ]

    /// Puts itself in front of `connection`, which it has to outlive.
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
        refusal = nil
        hasTimedOut = false
    }

    private func isLate() -> Bool {
        if ContinuousClock.now >= deadline { hasTimedOut = true }
        return hasTimedOut
    }

    private func decide(_ action: Int32, _ first: String?, _ second: String?) -> Int32 {
        switch action {
        case SQLITE_SELECT, SQLITE_READ, SQLITE_RECURSIVE: return SQLITE_OK
        // A virtual table that tells SQLite its columns looks like this. A statement that really changes the schema
        // table fails by defensive mode, and once more by not being read-only.
        case SQLITE_UPDATE where first == "sqlite_master": return SQLITE_OK
        case SQLITE_FUNCTION:
            let name = second?.lowercased() ?? ""
            return Self.refusedFunctions.contains(name) ? refuse("the function \(name) is not allowed here") : SQLITE_OK
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
