package import ActivationPipeline
import Foundation
import Safetensors

/// A file that is written from the start to the end, or not at all.
package final class NewFile {
    private let path: String
    private let handle: FileHandle

    /// Makes the file.
    ///
    /// - Throws: `WorkflowError.cannotWrite`.
    package init(_ path: String) throws(WorkflowError) {
        self.path = path
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let handle = FileHandle(forWritingAtPath: path)
        else { throw .cannotWrite(path: path, problem: "cannot be made") }
        self.handle = handle
    }

    /// Adds bytes.
    ///
    /// - Throws: `WorkflowError.cannotWrite`.
    package func write(_ bytes: some Sequence<UInt8>) throws(WorkflowError) {
        do { try handle.write(contentsOf: Data(bytes)) } catch {
            throw .cannotWrite(path: path, problem: error.systemReason)
        }
    }

    /// Closes the file.
    ///
    /// - Throws: `WorkflowError.cannotWrite` for bytes that the system could not keep.
    package func close() throws(WorkflowError) {
        do { try handle.close() } catch {
            throw .cannotWrite(path: path, problem: error.systemReason)
        }
    }

    /// Writes a whole file.
    ///
    /// - Throws: `WorkflowError.cannotWrite`.
    package static func write(_ bytes: some Sequence<UInt8>, to path: String) throws(WorkflowError) {
        let file = try NewFile(path)
        try file.write(bytes)
        try file.close()
    }

    /// Makes a folder, and those around it.
    ///
    /// - Throws: `WorkflowError.cannotWrite`.
    package static func makeFolder(_ path: String) throws(WorkflowError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw .cannotWrite(path: path, problem: error.systemReason)
        }
    }
}
