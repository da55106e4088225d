import Glibc

/// The files that SQLite keeps beside a database: what a broken-off change has to be taken back with, and the log.
enum CompanionFiles {
    /// What follows the name of the database in theirs.
    static let suffixes = ["-journal", "-wal", "-shm"]

    /// Refuses a file of such a name that SQLite did not make: it would wait for ever for what a pipe says, and write
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
