import Foundation
import Glibc

/// The kind of file at a path, links followed.
enum FileKind: Equatable {
    case plain
    case folder
    /// A named pipe, a socket or a device: reading one may never end.
    case pipe, socket, device
    /// Nothing at all.
    case missing
    /// A link to something that is not there.
    case dangling(target: String)
    /// Links that lead to each other.
    case circle
    /// The system's error instead.
    case unreachable(reason: String)

    init(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            self = FileKind(path, error: errno)
            return
        }
        self =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .plain
            case S_IFDIR: .folder
            case S_IFIFO: .pipe
            case S_IFSOCK: .socket
            default: .device
            }
    }

    private init(_ path: String, error: Int32) {
        switch error {
        case ELOOP: self = .circle
        case ENOENT, ENOTDIR:
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path)
            self = target.map { .dangling(target: $0) } ?? .missing
        default: self = .unreachable(reason: String(cString: strerror(error)))
        }
    }

    /// Whether it is a dangling or circular link.
    var leadsNowhere: Bool {
        switch self {
        case .dangling, .circle: true
        default: false
        }
    }

    /// The reason why it cannot be read as a file, as a phrase.
    var problem: String {
        switch self {
        case .plain: "is a file"
        case .folder: "is a folder"
        case .pipe: "is a pipe (FIFO), and only plain files are read; write its text to a file first"
        case .socket: "is a socket, and only plain files are read"
        case .device: "is a device, and only plain files are read"
        case .missing: "is not there"
        case .dangling(let target): "is a link to \(target.prefix(80)), which is not there"
        case .circle: "is a link that leads in a circle"
        case .unreachable(let reason): "cannot be reached (\(reason))"
        }
    }
}
