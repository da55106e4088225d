import GRDBSQLite
import Glibc
import Synchronization

/// Lets SQLite read a file with a write-ahead log in a read-only folder: the log's index, otherwise a
/// shared file beside it, is kept in memory for one connection.
///
/// The locks of such a connection are invisible to others, so its results hold only if the file is unchanged after.
enum PrivateLogIndex {
    /// The name of the VFS, for `vfs=` of a URI; nil if it cannot be registered.
    static let name: String? = register() ? registeredName : nil

    private static let registeredName = "routesae-private-log-index"

    /// Addresses of the index's pieces, by that of the open file.
    private static let pieces = Mutex<[UInt: [UInt]]>([:])

    /// Registers a copy of SQLite's default VFS with other methods for the index.
    private static func register() -> Bool {
        guard let real = sqlite3_vfs_find(nil) else { return false }
        let own = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        own.initialize(to: real.pointee)
        own.pointee.pNext = nil
        own.pointee.zName = UnsafePointer(strdup(registeredName))
        own.pointee.pAppData = UnsafeMutableRawPointer(real)
        own.pointee.xOpen = { own, path, file, flags, flagsOut in
            guard let real = own?.pointee.pAppData?.assumingMemoryBound(to: sqlite3_vfs.self), let file else {
                return SQLITE_CANTOPEN
            }

            let code = real.pointee.xOpen(real, path, file, flags, flagsOut)
            if code == SQLITE_OK, flags & SQLITE_OPEN_MAIN_DB != 0 { PrivateLogIndex.replaceMethods(of: file) }
            return code
        }
        return sqlite3_vfs_register(own, 0) == SQLITE_OK
    }

    private static func replaceMethods(of file: UnsafeMutablePointer<sqlite3_file>) {
        guard let real = file.pointee.pMethods, real.pointee.iVersion >= 2 else { return }
        // Never freed: a process opens few such files.
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(to: real.pointee)
        methods.pointee.xShmMap = { file, number, byteCount, makes, place in
            place?.pointee = PrivateLogIndex.piece(Int(number), byteCount: Int(byteCount), makes: makes != 0, of: file)
            return makes != 0 && place?.pointee == nil ? SQLITE_NOMEM : SQLITE_OK
        }
        methods.pointee.xShmLock = { _, _, _, _ in SQLITE_OK }
        methods.pointee.xShmBarrier = { _ in }
        methods.pointee.xShmUnmap = { file, _ in
            for piece in PrivateLogIndex.pieces.withLock({ $0.removeValue(forKey: UInt(bitPattern: file)) }) ?? [] {
                free(UnsafeMutableRawPointer(bitPattern: piece))
            }
            return SQLITE_OK
        }
        file.pointee.pMethods = UnsafePointer(methods)
    }

    /// A piece of the index; nil if it does not exist and is not to be created.
    private static func piece(
        _ number: Int, byteCount: Int, makes: Bool, of file: UnsafeMutablePointer<sqlite3_file>?
    ) -> UnsafeMutableRawPointer? {
        pieces.withLock { pieces in
            var known = pieces[UInt(bitPattern: file)] ?? []
            while makes, known.count <= number {
                guard let piece = calloc(1, byteCount) else { break }
                known.append(UInt(bitPattern: piece))
            }
            pieces[UInt(bitPattern: file)] = known
            return number < known.count ? known[number] : 0
        }.asPointer
    }
}

extension UInt {
    fileprivate var asPointer: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: self) }
}
