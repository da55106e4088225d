import Foundation
import Glibc

/// The other processes that hold SQLite's locks on a file, from the kernel's list. Opening the file to ask and
/// closing it again would drop this process's own locks.
struct LockHolders {
    /// Processes that are writing.
    private(set) var writers: [Int] = []
    /// Processes that are reading, or have the file open.
    private(set) var readers: [Int] = []

    /// SQLite's bytes for locks: in the file itself "reserved" and those that readers share, in its `-shm` the writer's
    /// and those behind it.
    private static let reserved: Int64 = 0x4000_0001
    private static let shared: Int64 = 0x4000_0002
    private static let logWriter: Int64 = 120
    private static let logReaders: Int64 = 123

    init(of path: String) {
        let real = SQLiteName.real(path)
        let (file, index) = (Self.inode(of: real), Self.inode(of: real + "-shm"))
        let own = Int(getpid())
        guard let data = FileManager.default.contents(atPath: "/proc/locks") else { return }
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
            guard let lock = Lock(line), lock.processID != own, lock.processID > 0 else { continue }
            let isWriting: Bool
            switch lock.inode {
            case file: isWriting = lock.isExclusive && lock.last >= Self.reserved
            case index: isWriting = lock.isExclusive && lock.first < Self.logReaders && lock.last >= Self.logWriter
            default: continue
            }
            if isWriting { writers.append(lock.processID) } else { readers.append(lock.processID) }
        }
        writers = Array(Set(writers)).sorted()
        readers = Array(Set(readers).subtracting(writers)).sorted()
    }

    /// The blocking processes, as half a sentence: "process 12 (routesae) is reading it".
    var sentence: String {
        if !writers.isEmpty { return Self.names(writers) + (writers.count == 1 ? " is" : " are") + " writing it" }
        if !readers.isEmpty { return Self.names(readers) + (readers.count == 1 ? " is" : " are") + " reading it" }
        return "another process has it locked"
    }

    private static func names(_ processes: [Int]) -> String {
        let shown = processes.prefix(3).map { process in
            let name = FileManager.default.contents(atPath: "/proc/\(process)/comm").map {
                String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            }
            return name.map { "\(process) (\($0))" } ?? "\(process)"
        }

        let rest = processes.count > shown.count ? " and \(processes.count - shown.count) more" : ""
        return (processes.count == 1 ? "process " : "processes ") + shown.joined(separator: ", ") + rest
    }

    private static func inode(of path: String) -> UInt? {
        var status = stat()
        return stat(path, &status) == 0 ? UInt(status.st_ino) : nil
    }

    /// A line of `/proc/locks`: "1: POSIX  ADVISORY  READ 3568 fd:00:2531452 1073741826 1073742335".
    private struct Lock {
        let isExclusive: Bool
        let processID: Int
        let inode: UInt
        let first: Int64
        let last: Int64

        init?(_ line: Substring) {
            let fields = line.split(separator: " ")
            guard fields.count == 8, fields[1] == "POSIX", let process = Int(fields[4]),
                let inode = fields[5].split(separator: ":").last.flatMap({ UInt($0) }), let first = Int64(fields[6])
            else { return nil }
            isExclusive = fields[3] == "WRITE"
            processID = process
            self.inode = inode
            self.first = first
            last = Int64(fields[7]) ?? Int64.max
        }
    }
}
