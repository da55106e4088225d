import Foundation
import Glibc

/// Checks the output file before a job begins, since the job may run for hours before it writes.
package enum OutputFile {
    /// Bytes of the suffix of an unfinished file, `.partial`.
    private static let longestSuffix = 8

    /// Checks that a file can be written.
    ///
    /// - Parameters:
    ///   - overwriting: whether an existing file may be replaced.
    ///   - inputs: what the job reads, which is never replaced.
    /// - Throws: `WorkflowError.cannotWrite` for an existing file, a folder, device or pipe of that name, or a folder
    ///   that is not there or not writable; `.refused` for one of the inputs.
    package static func check(_ path: String, overwriting: Bool, inputs: [String]) throws(WorkflowError) {
        guard !path.isEmpty else {
            throw .cannotWrite(path: "the file to write", problem: "has an empty name; name a file")
        }
        let files = FileManager.default
        if inputs.contains(where: { isSame($0, path) }) {
            throw .refused("\(path): is read by this very run, so it is not replaced; name another file")
        }

        var isFolder: ObjCBool = false
        if files.fileExists(atPath: path, isDirectory: &isFolder) {
            if isFolder.boolValue { throw .cannotWrite(path: path, problem: "is a folder; name a file") }
            guard isRegular(path) else {
                throw .cannotWrite(path: path, problem: "is a device or a pipe, which is not replaced; name a file")
            }
            guard overwriting else {
                throw .cannotWrite(path: path, problem: "exists already; add `overwriting` to replace it")
            }
        }

        let name = (path as NSString).lastPathComponent.utf8.count
        guard name + longestSuffix <= Int(NAME_MAX) else {
            throw .cannotWrite(
                path: path,
                problem: "the name is too long (\(name) bytes, \(Int(NAME_MAX) - longestSuffix) are possible)")
        }

        let folder = URL(filePath: path).deletingLastPathComponent().path
        guard files.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
            throw .cannotWrite(path: path, problem: "its folder is not there; make it first")
        }
        guard files.isWritableFile(atPath: folder) else {
            throw .cannotWrite(path: path, problem: "its folder cannot be written; check the permissions")
        }
    }

    /// Whether a path, links followed, names a plain file.
    private static func isRegular(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Whether two paths, links resolved, name one file.
    package static func isSame(_ one: String, _ other: String) -> Bool {
        func resolved(_ path: String) -> String {
            URL(filePath: path).standardizedFileURL.resolvingSymlinksInPath().path
        }
        return resolved(one) == resolved(other)
    }
}
