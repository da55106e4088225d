import GRDBSQLite
import Glibc
import Synchronization

/// A way for SQLite to read a file with a write-ahead log where nothing can be written: the log's index, which readers
/// elsewhere share in a file beside it, is made in memory, for one connection.
///
/// Nobody else sees the locks of such a connection, so what it has read is true only if the file is the same afterwards.
enum PrivateLogIndex {
    /// The name under which SQLite knows it, as `vfs=` of a URI; nil where SQLite has no place for it.
    static let name: String? = register() ? registeredName : nil

    private static let registeredName = "routesae-private-log-index"

    /// Addresses of the pieces of the index, by that of the open file.
    private static let pieces = Mutex<[UInt: [UInt]]>([:])

    /// SQLite's own ways, but for what it does with the index.
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
        // A process opens few such files, so that these are never given back.
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

    /// A piece of the index; nil if it is not there and not to be made.
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
