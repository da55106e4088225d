import CatalogMigrations
import GRDB

extension Catalog {
    /// Opens a catalog, whoever made it: nothing in the file is trusted before its schema has been compared with the
    /// one it claims to have.
    ///
    /// Opened for writing, runs whose process is gone become `interrupted`.
    ///
    /// - Throws: ``CatalogError`` `.missing`, `.notACatalog`, `.tooNew`, `.tooOld`, `.refused` (changed schema),
    ///   `.damaged`, `.busy` or `.cannotWrite`.
    public static func open(at path: String, mode: Mode) throws(CatalogError) -> Catalog {
        let queue = try connect(path: path, mode: mode, allowingOlder: false)
        let catalog = Catalog(path: path, mode: mode, queue: queue)
        if mode == .readWrite {
            try catalog.startWriting()
            try catalog.markInterruptedRuns()
        }
        return catalog
    }

    static func connect(path: String, mode: Mode, allowingOlder: Bool) throws(CatalogError) -> DatabaseQueue {
        let header = try FileHeader(path: path)
        guard header.userVersion <= Migrations.latest else {
            throw CatalogError(
                .tooNew,
                "\(path): schema \(header.userVersion), newer than \(Migrations.latest), the newest this version knows")
        }
        var configuration = Configuration()
        configuration.readonly = mode == .readOnly
        configuration.busyMode = .timeout(CatalogFormat.busyTimeout)
        configuration.prepareDatabase { database in
            guard let connection = database.sqliteConnection, SQLiteDefense.enableDefensiveMode(connection) else {
                throw CatalogError(.failed, "\(path): SQLite has no defensive mode")
            }
            SQLiteDefense.limitValues(connection)
            try database.execute(
                sql: """
                    PRAGMA trusted_schema = OFF;
                    PRAGMA cell_size_check = ON;
                    PRAGMA mmap_size = 0;
                    """)
        }
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.unsafeRead { try SchemaCheck.run($0, path: path, allowingOlder: allowingOlder) }
            return queue
        } catch {
            throw CatalogError(error, path: path)
        }
    }

    /// Lets triggers reach the full-text indexes, which SQLite forbids an untrusted schema. Only after the schema has
    /// been found to be, word for word, our own.
    static func trustSchema(_ database: Database) throws {
        try database.execute(sql: "PRAGMA trusted_schema = ON")
    }

    /// Bytes of pages that a writer holds at most: the index of contexts by passage is written in no order, and what
    /// does not fit is written to the disk many times.
    public static let writingCacheByteCount = 256 << 20

    private func startWriting() throws(CatalogError) {
        do {
            try queue.writeWithoutTransaction { database in
                guard try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL") == "wal" else {
                    throw CatalogError(.cannotWrite, "\(path): the file or its folder cannot be written")
                }
                try Self.trustSchema(database)
                // A commit is on the disk when it returns: checkpoints of training rest on what the catalog knows.
                try database.execute(
                    sql: "PRAGMA synchronous = FULL; PRAGMA cache_size = -\(Self.writingCacheByteCount >> 10)")
            }
        } catch {
            throw CatalogError(error, path: path)
        }
    }

    /// Closes the file; a catalog opened for writing becomes one plain file again.
    ///
    /// - Returns: Whether it is. While others read, the journal stays beside it until the next writer closes.
    /// - Throws: ``CatalogError`` `.cannotWrite` if what the journal holds cannot be moved into the file; it stays in
    ///   the journal then, and nothing is lost.
    @discardableResult
    public func close() throws(CatalogError) -> Bool {
        var isPlain = true
        do {
            if mode == .readWrite {
                try queue.writeWithoutTransaction { database in
                    do {
                        try database.execute(sql: "PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)")
                        isPlain = try String.fetchOne(database, sql: "PRAGMA journal_mode = DELETE") == "delete"
                    } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
                        isPlain = false
                    }
                }
            }
            try queue.close()
        } catch {
            throw CatalogError(error, path: path)
        }
        return isPlain
    }

    /// Who this catalog is.
    public func identity() throws(CatalogError) -> CatalogIdentity {
        try read { database in
            guard let row = try Row.fetchOne(database, sql: "SELECT uuid, created_at, created_by FROM catalog"),
                let version = try Int.fetchOne(database, sql: "PRAGMA user_version")
            else { throw CatalogError(.damaged, "\(path): the table catalog is empty") }
            return try CatalogIdentity(
                uuid: row.value(0), createdAt: row.value(1), createdBy: row.value(2), schemaVersion: version)
        }
    }
}
