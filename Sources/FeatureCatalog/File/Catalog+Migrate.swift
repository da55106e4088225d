import CatalogMigrations
import Foundation
import GRDB

extension Catalog {
    /// Migrates an older catalog to the present schema, each step in a transaction: if the process dies,
    /// the file is at some step, from which migrating continues.
    ///
    /// A write-ahead log left beside the file is merged into it in any case.
    ///
    /// - Parameters:
    ///   - patience: How long to wait for other processes, and where to report waits.
    ///   - progress: Told the name of a step before it is taken.
    /// - Returns: The schema's number before.
    /// - Throws: As ``open(at:mode:)``, except `.tooOld`; `.damaged` if what the old schema holds contradicts itself.
    @discardableResult
    package static func migrate(
        at path: String, patience: Patience = .short, progress: (_ step: String) -> Void = { _ in }
    ) throws(CatalogError) -> Int {
        let (queue, _) = try connect(path: path, mode: .readWrite, allowingOlder: true)
        do {
            let before = try queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
            try queue.writeWithoutTransaction { database in
                try trustSchema(database)
                // Rewritten tables are dropped first; foreign keys must not delete their children's rows.
                try database.execute(sql: "PRAGMA foreign_keys = OFF; PRAGMA synchronous = FULL")
            }
            for migration in Migrations.all.dropFirst(before) {
                progress(migration.name)
                try queue.inTransaction(.immediate) { database in
                    try apply(migration, to: database, Catalog(path: path, mode: .readWrite, queue: queue))
                    return .commit
                }
            }
            if before < Migrations.latest {
                // The space of the old tables is free now; a failed vacuum changes nothing. It rebuilds indexes,
                // also added ones, whose expressions must not be run.
                try queue.writeWithoutTransaction { database in
                    if try SchemaCheck.run(database, path: path, allowingOlder: false) == nil {
                        try? database.execute(sql: "VACUUM")
                    }
                }
            }
            try queue.close()
            if try isInPieces(path) {
                try open(at: path, mode: .readWrite, patience: patience).close(patience: patience)
            }
            return before
        } catch {
            throw CatalogError(error, path: path)
        }
    }

    /// Whether a write-ahead log lies beside a file, or its header asks for one.
    private static func isInPieces(_ path: String) throws(CatalogError) -> Bool {
        try FileHeader(path: path).isWriteAheadLogged
            || FileManager.default.fileExists(atPath: SQLiteName.real(path) + "-wal")
    }

    /// The sums of the rows of `dictionary`.
    private static func dictionarySums(_ database: Database, path: String) throws -> RowSums {
        let table = DigestedTable.all.firstIndex { $0.name == "dictionary" }
        return try table.map { try RowReader(database: database, path: path).sums(ofTable: $0) } ?? [:]
    }

    /// Takes one step within a transaction.
    private static func apply(_ migration: Migration, to database: Database, _ catalog: Catalog) throws {
        let function = FormerActivationsFunction(path: catalog.path)
        function.install(in: database)
        let kept = try migration.number == 7 ? dictionarySums(database, path: catalog.path) : [:]
        do { try database.execute(sql: migration.sql) } catch { throw function.problem ?? error }
        if migration.number == 2 { try ContextTransfer(catalog: catalog, database: database).run() }
        if migration.number == 6 {
            try catalog.deriveWhatIsMissing(database)
            try Catalog.analyze(database)
            try RowReader(database: database, path: catalog.path).sums().record(in: database)
        }
        if migration.number == 7 {
            // The difference is added, so that a change by another hand before it still shows.
            var change = try dictionarySums(database, path: catalog.path)
            for (part, sum) in kept { change[part, default: RowSum()] -= sum }
            try change.record(in: database)
        }
        try database.execute(sql: "PRAGMA user_version = \(migration.number)")
        // Foreign keys of added tables are not checked.
        for table in try SchemaEntry.own(database) where table.type == "table" {
            if try Row.fetchOne(database, sql: "PRAGMA foreign_key_check(\"\(table.name)\")") != nil {
                throw CatalogError(.damaged, "\(catalog.path): a row of \(table.name) refers to one that is not there")
            }
        }
    }
}
