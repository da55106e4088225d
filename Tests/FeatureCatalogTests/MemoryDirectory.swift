import Foundation

/// A fresh directory that disappears with the value that owns it, in memory where the system has such a place: for
/// tests that write thousands of files, or wait for the disk at every one.
final class MemoryDirectory: Sendable {
    let path: String

    init() throws {
        let memory = "/dev/shm"
        let root = FileManager.default.isWritableFile(atPath: memory) ? memory : NSTemporaryDirectory()
        path = root + "/routesae-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String) -> String { path + "/" + name }

    var files: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }
}
