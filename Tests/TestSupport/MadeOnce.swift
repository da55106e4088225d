import Foundation
import Synchronization

/// Catalogs that take long to make and are used by many tests: each is made once in a process, and every test gets a
/// copy of its own.
package enum MadeOnce {
    private final class Entry: Sendable {
        let bytes = Mutex<Data?>(nil)
    }

    private static let entries = Mutex<[String: Entry]>([:])

    /// Puts a copy of a catalog at `path`.
    ///
    /// - Parameters:
    ///   - name: Says everything that decides what `make` makes.
    ///   - path: Where the copy goes.
    ///   - make: Makes the catalog at a path, and closes it.
    package static func catalog(_ name: String, at path: String, make: (_ path: String) throws -> Void) throws {
        let entry = entries.withLock { entries in
            let entry = entries[name] ?? Entry()
            entries[name] = entry
            return entry
        }

        let bytes = try entry.bytes.withLock { known in
            if let known { return known }
            let directory = try TemporaryDirectory()
            let made = directory.file("c.sqlite")
            try make(made)
            let bytes = try Data(contentsOf: URL(filePath: made))
            known = bytes
            return bytes
        }
        try bytes.write(to: URL(filePath: path))
    }
}
