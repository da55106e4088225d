import Foundation
import Glibc

/// Divides the rows of an export among files.
struct ActivationFilePlan: Equatable {
    /// One file.
    struct File: Equatable {
        let path: String
        let rows: Int
    }

    /// The files, in order of their rows.
    let files: [File]

    /// The most files of one export: their numbers have five digits.
    static let mostFiles = 99_999
    /// The most rows of one file.
    static let mostRows = Int(Int32.max)

    /// Divides rows.
    ///
    /// Without `shardTokens` there is one file, with the very name given. With it `output`, `.safetensors` left off, is
    /// a prefix, as in `PREFIX-00000-of-00003.safetensors`, and every file but the last has that many rows.
    ///
    /// - Throws: `WorkflowError.usage` for a number of rows that a file cannot hold, or too many files.
    init(output: String, rows: Int, shardTokens: Int?) throws(WorkflowError) {
        guard let shardTokens else {
            guard rows <= ActivationFilePlan.mostRows else {
                throw .usage(
                    "\(output): \(rows) rows are more than a file may hold; divide them with `shardTokens`")
            }
            files = [File(path: output, rows: rows)]
            return
        }
        guard (1...ActivationFilePlan.mostRows).contains(shardTokens) else {
            throw .usage("`shardTokens` is \(shardTokens); allowed: 1 … \(ActivationFilePlan.mostRows)")
        }

        let count = rows / shardTokens + (rows.isMultiple(of: shardTokens) ? 0 : 1)
        guard count <= ActivationFilePlan.mostFiles else {
            throw .usage(
                "`shardTokens` \(shardTokens) makes \(count) files; \(ActivationFilePlan.mostFiles) is the most, so "
                    + "take more tokens each")
        }

        let prefix = ActivationFileName.prefix(output)
        files = (0..<count).map { index in
            File(
                path: ActivationFileName(prefix: prefix, index: index, count: count).path,
                rows: min(shardTokens, rows - index * shardTokens))
        }
    }

    /// Checks that all files can be written, and that no file of another division lies beside them: whoever reads the
    /// folder would read both.
    ///
    /// - Throws: what `OutputFile.check` throws; `WorkflowError.cannotWrite` naming the file in the way.
    func check(overwriting: Bool, inputs: [String]) throws(WorkflowError) {
        for file in files { try OutputFile.check(file.path, overwriting: overwriting, inputs: inputs) }
        guard let own = ActivationFileName(path: files[0].path) else { return }
        for other in ActivationFileName.all(beside: own.path)
        where other.prefix == own.prefix && other.count != files.count {
            throw .cannotWrite(
                path: other.path, problem: "belongs to an export of another number of files; remove that one first")
        }
    }

    /// Checks that the disk has room.
    ///
    /// - Parameter free: bytes free there; nil if unknown, which passes.
    /// - Throws: `WorkflowError.cannotWrite` saying how much is needed and how much there is.
    func checkSpace(bytes: Int, free: Int?) throws(WorkflowError) {
        guard let free, bytes > free else { return }
        throw .cannotWrite(
            path: files[0].path,
            problem: "\(ActivationFilePlan.gigabytes(bytes)) are needed and \(ActivationFilePlan.gigabytes(free)) are "
                + "free; lower `maximumTokens`, take fewer layers or name another disk")
    }

    /// Bytes that may be written to the disk on which a file is to be; nil where the system does not say.
    @Sendable static func freeBytes(besides path: String) -> Int? {
        var disk = statvfs()
        guard statvfs(URL(filePath: path).deletingLastPathComponent().path, &disk) == 0 else { return nil }
        let (bytes, overflow) = Int(clamping: disk.f_bavail).multipliedReportingOverflow(
            by: Int(clamping: disk.f_frsize))
        return overflow ? Int.max : bytes
    }

    private static func gigabytes(_ bytes: Int) -> String {
        String(format: bytes < 100_000_000 ? "%.4f GB" : "%.1f GB", Double(bytes) / 1e9)
    }
}
