import CatalogMigrations
import GRDB
import GRDBSQLite

extension Catalog {
    /// Opens a catalog from any source: nothing in the file is trusted before its schema has been compared with the
    /// one of its version.
    ///
    /// When opened for writing, runs whose process has ended become `interrupted`.
    ///
    /// - Parameter patience: How long to wait for readers of a file to be written, and where to report waits.
    /// - Throws: ``CatalogError`` `.missing`, `.notACatalog`, `.tooNew`, `.tooOld`, `.refused` (changed schema),
    ///   `.damaged`, `.busy` or `.cannotWrite`.
    package static func open(
        at path: String, mode: Mode, patience: Patience = .short
    ) throws(CatalogError) -> Catalog {
        let (queue, reading) = try connect(path: path, mode: mode, allowingOlder: false)
        let catalog = Catalog(path: path, mode: mode, queue: queue, reading: reading)
        if mode == .readWrite {
            try catalog.startWriting(patience)
            try catalog.markInterruptedRuns()
        }
        return catalog
    }

    static func connect(
        path: String, mode: Mode, allowingOlder: Bool
    ) throws(CatalogError) -> (queue: DatabaseQueue, reading: ReadingAccess?) {
        let header = try FileHeader(path: path)
        guard header.userVersion <= Migrations.latest else {
            throw CatalogError(
                .tooNew,
                "\(path): schema \(header.userVersion), newer than \(Migrations.latest), the newest this version knows")
        }

        let reading =
            mode == .readOnly ? try ReadingAccess(path: path, isWriteAheadLogged: header.isWriteAheadLogged) : nil
        var configuration = Configuration()
        configuration.readonly = mode == .readOnly
        configuration.busyMode = .timeout(CatalogFormat.busyTimeout)
        configuration.prepareDatabase { database in
            guard let connection = database.sqliteConnection, SQLiteDefense.enableDefensiveMode(connection) else {
                throw CatalogError(.failed, "\(path): SQLite has no defensive mode")
            }
            SQLiteDefense.limitValues(connection)
            // GRDB notes every column that a statement reads, for observers of changes, of which a reader has none.
            if mode == .readOnly { sqlite3_set_authorizer(connection, nil, nil) }
            try database.execute(
                sql: """
                    PRAGMA trusted_schema = OFF;
                    PRAGMA cell_size_check = ON;
                    PRAGMA mmap_size = 0;
                    """)
        }
        do {
            let queue = try DatabaseQueue(
                path: reading?.name ?? SQLiteName.literal(path), configuration: configuration)
            try queue.unsafeRead { database in
                let additions = try SchemaCheck.run(database, path: path, allowingOlder: allowingOlder)
                // While migrating, foreign keys are off.
                if mode == .readWrite, !allowingOlder { try additions?.checkForWriting() }
            }
            return (queue, reading)
        } catch {
            throw CatalogError(error, path: path)
        }
    }

    /// Lets triggers write to the full-text indexes, which SQLite forbids an untrusted schema. Called only after the
    /// schema was found identical word for word, and additions harmless.
    static func trustSchema(_ database: Database) throws {
        try database.execute(sql: "PRAGMA trusted_schema = ON")
    }

    /// Size of a writer's page cache, bytes: the index of contexts by passage is written in random order, and what
    /// does not fit is written many times.
    package static let writingCacheByteCount = 256 << 20

    private func startWriting(_ patience: Patience) throws(CatalogError) {
        do {
            var wait = Wait(patience)
            while try !useLog() {
                guard wait.goesOn({ "\(path): \(LockHolders(of: path).sentence); waiting for it" }) else {
                    throw CatalogError(resultCode: SQLITE_BUSY, message: "", path: path)
                }
            }
            try queue.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA busy_timeout = \(Int(CatalogFormat.busyTimeout * 1000))")
                try Self.trustSchema(database)
                // A commit is durable when it returns: training checkpoints rely on the catalog.
                try database.execute(
                    sql: "PRAGMA synchronous = FULL; PRAGMA cache_size = -\(Self.writingCacheByteCount >> 10)")
                try recorder.install(on: database)
            }
        } catch {
            throw CatalogError(error, path: path)
        }
    }

    /// Sets how long statements wait for another process that holds the lock, in seconds.
    ///
    /// - Throws: ``CatalogError``.
    package func waitForLock(seconds: Double) throws(CatalogError) {
        do {
            try queue.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA busy_timeout = \(Int(seconds * 1000))")
            }
        } catch {
            throw CatalogError(error, path: path)
        }
    }

    /// Switches the file to WAL mode. Readers that treat the file as immutable must not see that, so an idle file is
    /// locked no longer than one attempt, which keeps other readers from waiting.
    ///
    /// - Returns: False if someone is reading the file.
    private func useLog() throws -> Bool {
        try queue.writeWithoutTransaction { database in
            do {
                try database.execute(sql: "PRAGMA busy_timeout = 0")
                guard try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL") == "wal" else {
                    throw CatalogError(.cannotWrite, "\(path): the file or its folder cannot be written")
                }
                return true
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
                return false
            }
        }
    }

    /// Closes the file; a catalog opened for writing becomes a single file again.
    ///
    /// - Parameter patience: How long to wait for other processes that have it open, and where to report if they keep
    ///   it from becoming one file.
    /// - Returns: Whether it is one. While others read, the log stays beside it until the next writer closes.
    /// - Throws: ``CatalogError`` `.cannotWrite` if the log cannot be merged into the file; the contents then stay in
    ///   the log, and nothing is lost.
    @discardableResult
    package func close(patience: Patience = .none) throws(CatalogError) -> Bool {
        do {
            var ending = mode == .readWrite ? try becomePlain() : .plain
            var wait = Wait(patience)
            while ending != .plain, wait.goesOn({ "\(path): \(LockHolders(of: path).sentence); waiting for it" }) {
                ending = try becomePlain()
            }
            // While the file is open, since closing it would drop the locks being inspected.
            let remark = ending == .plain ? nil : self.remark(on: ending)
            try queue.close()
            if let remark { patience.remark(remark) }
            return ending == .plain
        } catch {
            throw CatalogError(error, path: path)
        }
    }

    /// The write-ahead log after closing.
    private enum Ending {
        /// No log.
        case plain
        /// A log whose contents are also in the file.
        case copied
        /// A log with contents missing from the file.
        case needed
    }

    /// Merges the log into the file and leaves WAL mode, as far as other processes permit.
    private func becomePlain() throws -> Ending {
        try queue.writeWithoutTransaction { database in
            var ending = Ending.needed
            do {
                try database.execute(sql: "PRAGMA busy_timeout = 0")
                // Whether it was blocked, frames of the log, and how many of them are in the file.
                if let row = try Row.fetchOne(database, sql: "PRAGMA wal_checkpoint(TRUNCATE)"),
                    try row.value(1) as Int == row.value(2) as Int
                {
                    ending = .copied
                }
                return try String.fetchOne(database, sql: "PRAGMA journal_mode = DELETE") == "delete" ? .plain : ending
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
                return ending
            }
        }
    }

    private func remark(on ending: Ending) -> String {
        let log = SQLiteName.lastComponent(of: path) + "-wal"
        let holders = LockHolders(of: path).sentence
        if ending == .copied {
            return "\(path): is whole, but \(log) stays beside it, because \(holders)"
        }
        return
            "\(path): what was written is partly still in \(log) beside it, because \(holders); keep the two together,"
            + " and run 'routesae migrate \(path)' when it is done: that makes them one file"
    }

    /// The catalog's identity.
    package func identity() throws(CatalogError) -> CatalogIdentity {
        try read { database in
            guard let row = try Row.fetchOne(database, sql: "SELECT uuid, created_at, created_by FROM catalog"),
                let version = try Int.fetchOne(database, sql: "PRAGMA user_version")
            else { throw CatalogError(.damaged, "\(path): the table catalog is empty") }
            return try CatalogIdentity(
                uuid: row.value(0), createdAt: row.value(1), createdBy: row.value(2), schemaVersion: version)
        }
    }
}
