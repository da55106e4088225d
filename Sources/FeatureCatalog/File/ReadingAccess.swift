import Glibc

/// How a file is opened for reading.
///
/// In WAL mode readers write, too: they lock pages of `-shm`, a file beside the catalog, which SQLite creates if
/// needed. If that cannot be written, the catalog is read without locks.
struct ReadingAccess {
    /// The name that SQLite opens.
    let name: String

    /// The state of the file and its log, if they are read without locks.
    private let unlocked: States?

    private let path: String

    /// Bytes of a write-ahead log's header; a log of no more bytes is empty.
    private static let logHeaderByteCount: Int64 = 32

    /// - Parameter isWriteAheadLogged: whether the file's header says that it is in WAL mode.
    /// - Throws: ``CatalogError`` `.refused` where the log cannot be read.
    init(path: String, isWriteAheadLogged: Bool) throws(CatalogError) {
        self.path = path
        let real = SQLiteName.real(path)
        let (log, index) = (real + "-wal", real + "-shm")
        let states = States(of: real)
        let logByteCount = states.log?.size
        let isPlain = !isWriteAheadLogged && (logByteCount ?? 0) == 0
        let canMakeFiles = access(SQLiteName.folder(of: real), W_OK | X_OK) == 0
        let canWriteIndex = FileState(index) != nil ? access(index, R_OK | W_OK) == 0 : canMakeFiles
        let canOpenLog = logByteCount != nil ? access(log, R_OK) == 0 : canMakeFiles
        if isPlain || canWriteIndex && canOpenLog {
            (name, unlocked) = (SQLiteName.literal(path), nil)
        } else if logByteCount ?? 0 <= Self.logHeaderByteCount, let name = SQLiteName.immutable(path) {
            (self.name, unlocked) = (name, states)
        } else if canOpenLog, let name = SQLiteName.withPrivateLogIndex(path) {
            (self.name, unlocked) = (name, states)
        } else {
            let short = SQLiteName.lastComponent(of: path)
            throw CatalogError(
                .refused,
                "\(path): part of it is still in \(short)-wal, which cannot be read here: have "
                    + "'routesae migrate \(path)' run by someone who may write it, or copy both files into a folder of "
                    + "your own")
        }
    }

    /// Checks that files read without locks are unchanged.
    ///
    /// - Throws: ``CatalogError`` `.busy` if another process has written meanwhile.
    func checkUnchanged() throws(CatalogError) {
        guard let unlocked, States(of: SQLiteName.real(path)) != unlocked else { return }
        throw CatalogError(
            .busy, "\(path): was changed while it was read, so what was read may not be true; run again")
    }

    /// A file and its log.
    private struct States: Equatable {
        let file: FileState?
        let log: FileState?

        init(of path: String) {
            file = FileState(path)
            log = FileState(path + "-wal")
        }
    }

    /// Metadata that changes with every write.
    private struct FileState: Equatable {
        let inode: UInt
        let size: Int64
        let seconds: Int
        let nanoseconds: Int

        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            inode = UInt(status.st_ino)
            size = Int64(status.st_size)
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
        }
    }
}
