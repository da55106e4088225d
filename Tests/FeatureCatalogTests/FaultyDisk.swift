import GRDBSQLite
import Synchronization

/// A folder whose files fail when told to: SQLite's own file system with a counter in front.
///
/// SQLite is asked to use it for all files, since a catalog names none; files outside the folder go straight to the
/// real one.
final class FaultyDisk: Sendable {
    /// What can fail.
    enum Operation: CaseIterable {
        case open, write, truncate, sync, delete, share
    }

    /// When it fails, and how.
    struct Fault {
        /// The operation that is counted; nil counts all of them.
        var operation: Operation?
        /// Which of them fails, from 0.
        var position: Int
        /// What SQLite is told, such as `SQLITE_FULL`.
        var code: Int32
        /// Whether all that follow fail as well, as on a disk that stays full.
        var staysBroken = false
        /// Whether half of a failing write is done.
        var isTorn = false
    }

    private struct State {
        var fault: Fault?
        var counts: [Operation: Int] = [:]
        var total = 0
        var failures = 0
    }

    private let state = Mutex(State())
    private let folder: String

    /// - Parameter folder: Whose files fail; they keep to it until ``remove()``.
    init(folder: String) {
        self.folder = folder
        _ = Self.registration
        Self.disks.withLock { $0[folder] = self }
    }

    func remove() {
        Self.disks.withLock { $0[folder] = nil }
    }

    /// Starts to count; nil only counts.
    func arm(_ fault: Fault?) {
        state.withLock { $0 = State(fault: fault) }
    }

    /// Stops failing.
    ///
    /// - Returns: How often it failed, and what there was to fail.
    @discardableResult
    func disarm() -> (failures: Int, counts: [Operation: Int]) {
        state.withLock {
            $0.fault = nil
            return ($0.failures, $0.counts)
        }
    }

    /// The fault that is due, if one is.
    fileprivate func fault(at operation: Operation) -> Fault? {
        state.withLock { state in
            let number = state.fault?.operation == nil ? state.total : state.counts[operation, default: 0]
            state.counts[operation, default: 0] += 1
            state.total += 1
            guard let fault = state.fault, fault.operation == nil || fault.operation == operation,
                number == fault.position || fault.staysBroken && number > fault.position
            else { return nil }
            state.failures += 1
            return fault
        }
    }

    // MARK: What SQLite sees

    private static let disks = Mutex<[String: FaultyDisk]>([:])

    fileprivate static func disk(of path: UnsafePointer<CChar>?) -> FaultyDisk? {
        guard let path else { return nil }
        let name = String(cString: path)
        return disks.withLock { disks in disks.first { name.hasPrefix($0.key) }?.value }
    }

    /// Puts itself in front of the file system, once and for good.
    private static let registration: Bool = {
        guard let real = sqlite3_vfs_find(nil) else { return false }
        let faulty = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        faulty.initialize(to: real.pointee)
        faulty.pointee.pNext = nil
        faulty.pointee.szOsFile = Int32(FaultyFile.size) + real.pointee.szOsFile
        faulty.pointee.pAppData = UnsafeMutableRawPointer(real)
        faulty.pointee.xOpen = { vfs, path, file, flags, flagsOut in
            guard let real = vfs?.pointee.pAppData?.assumingMemoryBound(to: sqlite3_vfs.self), let file else {
                return SQLITE_CANTOPEN
            }
            guard let disk = FaultyDisk.disk(of: path) else {
                return real.pointee.xOpen(real, path, file, flags, flagsOut)
            }
            file.pointee.pMethods = nil
            if let fault = disk.fault(at: .open) { return fault.code }
            let code = real.pointee.xOpen(real, path, FaultyFile.real(file), flags, flagsOut)
            if FaultyFile.real(file).pointee.pMethods != nil { FaultyFile.wrap(file, disk) }
            return code
        }
        faulty.pointee.xDelete = { vfs, path, syncs in
            guard let real = vfs?.pointee.pAppData?.assumingMemoryBound(to: sqlite3_vfs.self) else {
                return SQLITE_IOERR | 10 << 8
            }
            if let fault = FaultyDisk.disk(of: path)?.fault(at: .delete) { return fault.code }
            return real.pointee.xDelete(real, path, syncs)
        }
        return sqlite3_vfs_register(faulty, 1) == SQLITE_OK
    }()
}

/// An open file on a ``FaultyDisk``: SQLite's header, the disk, and the real file behind them.
private enum FaultyFile {
    static let size = 32

    static func real(_ file: UnsafeMutablePointer<sqlite3_file>) -> UnsafeMutablePointer<sqlite3_file> {
        (UnsafeMutableRawPointer(file) + size).assumingMemoryBound(to: sqlite3_file.self)
    }

    static func disk(_ file: UnsafeMutablePointer<sqlite3_file>) -> FaultyDisk {
        let pointer = UnsafeMutableRawPointer(file).load(fromByteOffset: 8, as: UnsafeMutableRawPointer.self)
        return Unmanaged<FaultyDisk>.fromOpaque(pointer).takeUnretainedValue()
    }

    static func wrap(_ file: UnsafeMutablePointer<sqlite3_file>, _ disk: FaultyDisk) {
        let pointer = Unmanaged.passRetained(disk).toOpaque()
        UnsafeMutableRawPointer(file).storeBytes(of: pointer, toByteOffset: 8, as: UnsafeMutableRawPointer.self)
        file.pointee.pMethods = methods.pointer
    }

    /// Calls the real file's function for a file of SQLite's.
    private static func forward(
        _ file: UnsafeMutablePointer<sqlite3_file>?,
        _ body: (UnsafeMutablePointer<sqlite3_file>, sqlite3_io_methods) -> Int32
    ) -> Int32 {
        guard let file, let methods = real(file).pointee.pMethods else { return SQLITE_IOERR }
        return body(real(file), methods.pointee)
    }

    private static func fault(
        _ file: UnsafeMutablePointer<sqlite3_file>?, _ operation: FaultyDisk.Operation
    ) -> FaultyDisk.Fault? {
        file.flatMap { disk($0).fault(at: operation) }
    }

    private struct Methods: @unchecked Sendable { let pointer: UnsafePointer<sqlite3_io_methods> }

    private static let methods: Methods = {
        var methods = sqlite3_io_methods()
        // Version 3 adds memory maps, which catalogs do not use.
        methods.iVersion = 2
        methods.xClose = { file in
            guard let file else { return SQLITE_OK }
            let pointer = UnsafeMutableRawPointer(file).load(fromByteOffset: 8, as: UnsafeMutableRawPointer.self)
            let code = forward(file) { $1.xClose($0) }
            Unmanaged<FaultyDisk>.fromOpaque(pointer).release()
            return code
        }
        methods.xRead = { file, bytes, count, offset in forward(file) { $1.xRead($0, bytes, count, offset) } }
        methods.xWrite = { file, bytes, count, offset in
            if let fault = fault(file, .write) {
                if fault.isTorn { _ = forward(file) { $1.xWrite($0, bytes, count / 2, offset) } }
                return fault.code
            }
            return forward(file) { $1.xWrite($0, bytes, count, offset) }
        }
        methods.xTruncate = { file, size in
            fault(file, .truncate)?.code ?? forward(file) { $1.xTruncate($0, size) }
        }
        methods.xSync = { file, flags in fault(file, .sync)?.code ?? forward(file) { $1.xSync($0, flags) } }
        methods.xFileSize = { file, size in forward(file) { $1.xFileSize($0, size) } }
        methods.xLock = { file, kind in forward(file) { $1.xLock($0, kind) } }
        methods.xUnlock = { file, kind in forward(file) { $1.xUnlock($0, kind) } }
        methods.xCheckReservedLock = { file, result in forward(file) { $1.xCheckReservedLock($0, result) } }
        methods.xFileControl = { file, operation, argument in
            forward(file) { $1.xFileControl($0, operation, argument) }
        }
        methods.xSectorSize = { file in forward(file) { $1.xSectorSize($0) } }
        methods.xDeviceCharacteristics = { file in forward(file) { $1.xDeviceCharacteristics($0) } }
        methods.xShmMap = { file, page, size, extends, result in
            if extends != 0, let fault = fault(file, .share) { return fault.code }
            return forward(file) { $1.xShmMap($0, page, size, extends, result) }
        }
        methods.xShmLock = { file, offset, count, flags in forward(file) { $1.xShmLock($0, offset, count, flags) } }
        methods.xShmBarrier = { file in
            guard let file, let methods = real(file).pointee.pMethods else { return }
            methods.pointee.xShmBarrier(real(file))
        }
        methods.xShmUnmap = { file, deletes in forward(file) { $1.xShmUnmap($0, deletes) } }
        let pointer = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        pointer.initialize(to: methods)
        return Methods(pointer: UnsafePointer(pointer))
    }()
}
