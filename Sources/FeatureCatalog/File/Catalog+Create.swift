import CatalogMigrations
import Foundation
import GRDB

extension Catalog {
    /// Makes an empty catalog and opens it for reading and writing.
    ///
    /// The file is written under another name and renamed once its schema is complete: no partial catalog is visible.
    ///
    /// - Parameters:
    ///   - path: Where it goes. Its folder must exist.
    ///   - replacing: Whether a catalog that is there already may be replaced. Any other file never is.
    ///   - software: The software that creates it.
    /// - Throws: ``CatalogError`` `.exists`, `.refused` (the file to be replaced is not a catalog) or `.cannotWrite`.
    package static func create(
        at path: String, replacing: Bool, software: SoftwareIdentity = .unknown
    ) throws(CatalogError) -> Catalog {
        let files = FileManager.default
        if let problem = SQLiteName.problem(with: path) { throw CatalogError(.cannotWrite, "\(path): \(problem)") }
        if files.fileExists(atPath: path) {
            guard replacing else { throw CatalogError(.exists, "\(path): exists already; it is not replaced") }
            do { _ = try FileHeader(path: path) } catch {
                throw CatalogError(.refused, "\(path): not a catalog, so it is not replaced")
            }
        }
        DraftFile.removeLeftovers(of: path)
        let draft = DraftFile.path(for: path, .partial)
        DraftFile.remove(draft)
        defer { DraftFile.remove(draft) }
        try makeEmpty(at: draft, for: path, software: software)
        do {
            if replacing {
                // A journal left by the old file would be applied to the new one.
                for suffix in CompanionFiles.suffixes where files.fileExists(atPath: path + suffix) {
                    try files.removeItem(atPath: path + suffix)
                }
            }
            try place(draft, at: path, replacing: replacing)
        } catch {
            throw CatalogError(error, path: path)
        }
        return try open(at: path, mode: .readWrite)
    }

    private static func makeEmpty(
        at draft: String, for path: String, software: SoftwareIdentity
    ) throws(CatalogError) {
        do {
            var configuration = Configuration()
            // As migrations expect it.
            configuration.foreignKeysEnabled = false
            configuration.prepareDatabase { database in
                try database.execute(sql: "PRAGMA page_size = \(CatalogFormat.pageSize)")
                FormerActivationsFunction(path: path).install(in: database)
            }

            let queue = try DatabaseQueue(path: SQLiteName.literal(draft), configuration: configuration)
            try queue.inTransaction { database in
                for migration in Migrations.all { try database.execute(sql: migration.sql) }
                try database.execute(
                    sql: "INSERT INTO catalog (catalog_id, uuid, created_at, created_by) VALUES (1, ?, ?, ?)",
                    arguments: [UUID().uuidString.lowercased(), Timestamp.now(), software.version])
                try database.execute(
                    sql: """
                        PRAGMA application_id = \(CatalogFormat.applicationID);
                        PRAGMA user_version = \(Migrations.latest);
                        """)
                try RowReader(database: database, path: path).sums().record(in: database)
                return .commit
            }
            try queue.close()
        } catch {
            throw CatalogError(error, path: path)
        }
    }

    static func place(_ draft: String, at path: String, replacing: Bool) throws {
        if !replacing {
            // A hard link, unlike a rename, fails if someone else made the file meanwhile.
            do { try FileManager.default.linkItem(atPath: draft, toPath: path); return } catch {
                guard !FileManager.default.fileExists(atPath: path) else {
                    throw CatalogError(.exists, "\(path): exists already; it is not replaced")
                }
                // Some file systems have no hard links; rename then.
            }
        }
        guard rename(draft, path) == 0 else {
            throw CatalogError(.cannotWrite, "\(path): cannot be written (\(String(cString: strerror(errno))))")
        }
    }
}
