import Glibc

/// Whether a file is the one it was: inode, size and time of the last change, also of the log beside it.
struct FileStamp: Hashable, Sendable {
    private let values: [Int]

    /// Looks at a file. Of one that is about to be opened, it is taken before: what is read is then never older.
    init(_ path: String) {
        values = [path, path + "-wal"].flatMap { path -> [Int] in
            var status = stat()
            guard stat(path, &status) == 0 else { return [0] }
            return [
                Int(truncatingIfNeeded: status.st_ino), Int(status.st_size), status.st_mtim.tv_sec,
                status.st_mtim.tv_nsec,
            ]
        }
    }
}
