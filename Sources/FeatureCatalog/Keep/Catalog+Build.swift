import Foundation
import GRDB
import Glibc

extension Catalog {
    /// Writes a complete catalog: `body` fills a draft beside `path`, which then replaces it
    /// atomically. If `body` throws or the process dies, `path` is unchanged.
    ///
    /// - Parameters:
    ///   - replacing: Whether a catalog that is there may be replaced. Any other file never is.
    ///   - body: Fills the draft; it is invisible to others, so it is not synced until the end.
    /// - Throws: ``CatalogError`` `.exists`, `.refused` (the existing file is not a catalog), `.cannotWrite`; and whatever
    ///   `body` throws.
    package static func build(
        at path: String, replacing: Bool, software: SoftwareIdentity, _ body: (Catalog) throws -> Void
    ) throws {
        let files = FileManager.default
        if let problem = SQLiteName.problem(with: path) { throw CatalogError(.cannotWrite, "\(path): \(problem)") }
        if files.fileExists(atPath: path) {
            guard replacing else { throw CatalogError(.exists, "\(path): exists already; it is not replaced") }
            do { _ = try FileHeader(path: path) } catch {
                throw CatalogError(.refused, "\(path): not a catalog, so it is not replaced")
            }
        }
        DraftFile.removeLeftovers(of: path)
        let draft = DraftFile.path(for: path, .draft)
        DraftFile.remove(draft)
        defer { DraftFile.remove(draft) }
        do {
            let catalog = try create(at: draft, replacing: false, software: software)
            do {
                try catalog.queue.writeWithoutTransaction { database in
                    // A draft is useless after a crash, so nothing has to be durable before the end. It stays
                    // locked, so that others see that it is in use.
                    try database.execute(
                        sql: "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE")
                }
                try body(catalog)
                try catalog.close()
            } catch {
                _ = try? catalog.close()
                throw error
            }
        } catch let error as CatalogError {
            throw CatalogError(error.code, error.message.replacing(draft, with: path))
        }
        try synchronise(draft)
        if replacing {
            for suffix in CompanionFiles.suffixes where files.fileExists(atPath: path + suffix) {
                do { try files.removeItem(atPath: path + suffix) } catch { throw CatalogError(error, path: path) }
            }
        }
        do { try place(draft, at: path, replacing: replacing) } catch { throw CatalogError(error, path: path) }
    }

    /// Syncs a file to the disk.
    private static func synchronise(_ path: String) throws(CatalogError) {
        let file = Glibc.open(path, O_RDONLY)
        guard file >= 0, fsync(file) == 0 else {
            throw CatalogError(.cannotWrite, "\(path): cannot be written (\(String(cString: strerror(errno))))")
        }
        Glibc.close(file)
    }
}
