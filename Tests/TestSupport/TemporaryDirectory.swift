package import Foundation

/// A fresh directory that disappears with the value that owns it; one for every test.
package final class TemporaryDirectory: Sendable {
    /// The directory itself.
    package let url: URL

    /// The directory's path in the file system.
    package var path: String { url.path }

    /// Makes an empty directory under the system's temporary folder.
    package init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "routesae-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    /// One for what all tests of this process read and none writes; removed when it ends.
    package static let ofProcess = Result { () throws -> TemporaryDirectory in
        atexit { TemporaryDirectory.removeThatOfProcess() }
        return try TemporaryDirectory()
    }

    private static func removeThatOfProcess() {
        if case .success(let directory) = ofProcess { try? FileManager.default.removeItem(at: directory.url) }
    }

    /// The path of an entry in this directory, whether it exists or not.
    package func file(_ name: String) -> String {
        url.appending(path: name).path
    }
}
