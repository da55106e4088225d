import Foundation

/// The path of a committed fixture, `Tests/Fixtures/<name>`.
package func fixture(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures").appending(path: name).path
}

/// The path of an entry at the top of the repository, such as `Demo/model`.
package func repositoryFile(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: name).path
}
