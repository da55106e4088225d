import Foundation
import Safetensors
package import SparseTraining

/// Finds the activation files given on the command line: files, folders, and the common prefix of an export's
/// files.
package enum ActivationFiles {
    /// Opens all given files, in order, and checks that they belong together.
    ///
    /// - Parameter layers: the decoder layers of files whose headers do not name them.
    /// - Throws: what `paths(_:)`, `ActivationShard` and `ActivationShard.checkAgreement(with:)` throw.
    package static func open(_ named: [String], layers: [Int]?) throws -> [ActivationShard] {
        let shards = try paths(named).map { try ActivationShard(path: $0, layers: layers) }
        for shard in shards.dropFirst() { try shard.checkAgreement(with: shards[0]) }
        return shards
    }

    /// The files, in order:
    ///
    /// - a file is taken under any name;
    /// - a folder stands for the `.safetensors` files in it, by name;
    /// - what is neither stands for the files `NAME-00000-of-00003.safetensors` … that begin with it.
    ///
    /// A folder and a beginning give whole exports only; single files of one can be named one by one.
    ///
    /// - Throws: `WorkflowError.missing` where there is nothing, `.badInput` for a folder without such files or an export
    ///   that lacks some, `.usage` for a file that is named twice.
    package static func paths(_ named: [String]) throws(WorkflowError) -> [String] {
        var found: [String] = []
        for name in named { found += try files(at: name) }
        var seen: Set<String> = []
        for path in found {
            let resolved = URL(filePath: path).standardizedFileURL.resolvingSymlinksInPath().path
            guard seen.insert(resolved).inserted else {
                throw .usage("`activations` names \(path) twice; its rows would count twice")
            }
        }
        return found
    }

    private static func files(at path: String) throws(WorkflowError) -> [String] {
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        if isThere, !isFolder.boolValue { return [path] }
        let files = isThere ? try filesInFolder(path) : filesBeginning(path)
        guard !files.isEmpty else {
            if isThere { throw .badInput(path: path, problem: "holds no .safetensors file") }
            throw .missing(path: path, what: "activation file or folder, nor files that begin with it")
        }
        try checkWhole(files, of: path)
        return files
    }

    private static func filesInFolder(_ path: String) throws(WorkflowError) -> [String] {
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: path) } catch {
            throw .badInput(path: path, problem: "cannot be read (\(error.systemReason))")
        }
        return names.filter { $0.hasSuffix(".safetensors") && !$0.hasPrefix(".") }.sorted()
            .map { path.hasSuffix("/") ? path + $0 : path + "/" + $0 }
    }

    private static func filesBeginning(_ path: String) -> [String] {
        let prefix = ActivationFileName.prefix(path)
        return ActivationFileName.all(beside: path).filter { $0.prefix == prefix }.map(\.path)
    }

    /// Checks that each export has all its files, and that a prefix belongs to only one export.
    private static func checkWhole(_ files: [String], of path: String) throws(WorkflowError) {
        let names = files.compactMap { ActivationFileName(path: $0) }
        for (prefix, parts) in Dictionary(grouping: names, by: \.prefix).sorted(by: { $0.key < $1.key }) {
            let count = parts[0].count
            if let other = parts.first(where: { $0.count != count }) {
                throw .badInput(
                    path: path,
                    problem: "holds \(parts[0].path) and \(other.path), which belong to different exports; remove one")
            }

            let there = Set(parts.map(\.index))
            if let lost = (0..<count).first(where: { !there.contains($0) }) {
                throw .badInput(
                    path: path,
                    problem:
                        "lacks \(ActivationFileName(prefix: prefix, index: lost, count: count).path); an export is "
                        + "read whole, or its files are named one by one")
            }
        }
    }
}
