public import Foundation

/// A fresh directory that disappears with the value that owns it; one for every test.
public final class TemporaryDirectory: Sendable {
    /// The directory itself.
    public let url: URL

    /// The directory's path in the file system.
    public var path: String { url.path }

    /// Makes an empty directory under the system's temporary folder.
    public init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "routesae-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    /// The path of an entry in this directory, whether it exists or not.
    public func file(_ name: String) -> String {
        url.appending(path: name).path
    }
}
