import Glibc

/// The files that SQLite keeps beside a database: the rollback journal and the write-ahead log.
enum CompanionFiles {
    /// Suffixes of their names.
    static let suffixes = ["-journal", "-wal", "-shm"]

    /// Refuses files of such names that SQLite did not make: it would block on a pipe, and write
    /// through a link into another file.
    ///
    /// - Throws: `CatalogError` `.refused`.
    static func check(of path: String) throws(CatalogError) {
        let database = SQLiteName.real(path)
        for suffix in suffixes {
            var status = stat()
            guard lstat(database + suffix, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { continue }
            throw CatalogError(.refused, "\(database + suffix): no plain file, so none of SQLite's; remove it")
        }
    }
}
