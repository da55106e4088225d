import FeatureCatalog
import Foundation
import Glibc

/// A folder for temporary files, removed when the value that owns it is deinitialised. Folders of killed processes are
/// removed when the next one is made.
package final class ScratchFolder {
    /// The folder.
    package let path: String

    private static let prefix = "routesae-scratch-"

    /// Makes an empty folder: where TMPDIR says; if it says nothing, in `/tmp` or `/var/tmp`, or else beside a file.
    ///
    /// - Parameters:
    ///   - neighbor: a file whose folder may be used as well.
    ///   - advice: what a person may do instead of setting TMPDIR.
    /// - Throws: `WorkflowError.cannotWrite`.
    package init(beside neighbor: String? = nil, advice: String? = nil) throws(WorkflowError) {
        let given = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 }
        let beside = neighbor.map { path in
            path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]) + "/." : "."
        }

        let candidates = given.map { [$0] } ?? ["/tmp", "/var/tmp"] + [beside].compactMap(\.self)
        var problem = ""
        for folder in candidates {
            Self.removeLeftovers(in: folder)
            let path = folder + "/" + Self.prefix + ProcessMark.current.name + "-\(UUID().uuidString.prefix(8))"
            if mkdir(path, S_IRWXU) == 0 {
                self.path = path
                return
            }
            // Some folders hold only what the system puts there.
            let code = errno
            let isMissing = !FileManager.default.fileExists(atPath: folder)
            if problem.isEmpty {
                problem = code == ENOENT && !isMissing ? "nothing can be made there" : String(cString: strerror(code))
            }
        }
        throw .cannotWrite(
            path: candidates[0],
            problem: "temporary files cannot be written here (\(problem)); set TMPDIR to a folder that can be written"
                + (advice.map { ", or \($0)" } ?? ""))
    }

    deinit {
        if !isKept { try? FileManager.default.removeItem(atPath: path) }
    }

    private var isKept = false

    /// Keeps the folder, under a name that is not taken for a leftover.
    ///
    /// - Returns: the folder's path from now on.
    package func keep() -> String {
        isKept = true
        let kept = path.replacing(Self.prefix, with: "routesae-")
        return rename(path, kept) == 0 ? kept : path
    }

    /// Removes the folders of this user's processes that are gone.
    private static func removeLeftovers(in folder: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            guard name.hasPrefix(prefix), let mark = ProcessMark(name.dropFirst(prefix.count)), mark.isGone else {
                continue
            }

            var status = stat()
            guard lstat(folder + "/" + name, &status) == 0, status.st_uid == geteuid(),
                status.st_mode & S_IFMT == S_IFDIR
            else { continue }
            try? FileManager.default.removeItem(atPath: folder + "/" + name)
        }
    }
}
