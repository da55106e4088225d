import FeatureCatalog
import Foundation
import Glibc

/// A folder that appears under its name once it is complete: it is filled beside it, as `NAME.PROCESS-.partial`, and
/// renamed. What a killed process left there is removed when the next one is made under the same name.
package enum OutputFolder {
    /// Makes a folder.
    ///
    /// - Parameter fill: fills it; told where it is meanwhile.
    /// - Throws: `WorkflowError.cannotWrite` for a name that is taken, or a folder around it that is not there or not
    ///   writable; what `fill` throws. Nothing is left behind then.
    package static func make<Value>(_ path: String, _ fill: (_ draft: String) throws -> Value) throws -> Value {
        try check(path)
        let path = URL(filePath: path).standardizedFileURL.path
        let parent = (path as NSString).deletingLastPathComponent
        let prefix = (path as NSString).lastPathComponent + "."
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        where name.hasPrefix(prefix) && name.hasSuffix("-.partial") {
            guard let mark = ProcessMark(name.dropFirst(prefix.count).dropLast(".partial".count)), mark.isGone else {
                continue
            }
            try? FileManager.default.removeItem(atPath: parent + "/" + name)
        }

        let draft = "\(path).\(ProcessMark.current.name)-.partial"
        guard mkdir(draft, 0o777) == 0 else {
            throw WorkflowError.cannotWrite(path: draft, problem: String(cString: strerror(errno)))
        }
        do {
            let value = try fill(draft)
            // Never onto something that has appeared meanwhile: renaming would replace an empty folder.
            try check(path)
            guard rename(draft, path) == 0 else {
                throw WorkflowError.cannotWrite(path: path, problem: String(cString: strerror(errno)))
            }
            return value
        } catch {
            try? FileManager.default.removeItem(atPath: draft)
            throw error
        }
    }

    /// Checks that a folder can be made.
    ///
    /// - Throws: as `make`.
    package static func check(_ path: String) throws(WorkflowError) {
        guard !path.isEmpty else {
            throw .cannotWrite(path: "the folder to make", problem: "has an empty name; name a folder")
        }
        var status = stat()
        guard lstat(path, &status) != 0 else {
            throw .cannotWrite(path: path, problem: "exists already; name a folder that does not")
        }
        let longest = Int(NAME_MAX) - "...-.partial".utf8.count - ProcessMark.current.name.utf8.count
        let name = URL(filePath: path).lastPathComponent.utf8.count
        guard name <= longest else {
            throw .cannotWrite(
                path: path, problem: "the name is too long (\(name) bytes, \(longest) are possible)")
        }
        let parent = URL(filePath: path).standardizedFileURL.deletingLastPathComponent().path
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: parent, isDirectory: &isFolder), isFolder.boolValue else {
            throw .cannotWrite(path: path, problem: "the folder around it is not there; make it first")
        }
        guard access(parent, W_OK) == 0 else {
            throw .cannotWrite(path: path, problem: "the folder around it cannot be written; check the permissions")
        }
    }
}
