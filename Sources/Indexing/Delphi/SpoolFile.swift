import ActivationPipeline
import Foundation
import Safetensors

/// A temporary file that is first written from the start to the end and then read the same way, a buffer at a time.
final class SpoolFile {
    private static let bufferByteCount = 1 << 18
    private let path: String
    private let handle: FileHandle
    private var buffer: [UInt8] = []

    /// Makes the file.
    ///
    /// - Throws: `WorkflowError.cannotWrite`.
    init(_ path: String) throws(WorkflowError) {
        self.path = path
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let handle = FileHandle(forUpdatingAtPath: path)
        else { throw .cannotWrite(path: path, problem: "cannot be made") }
        self.handle = handle
        buffer.reserveCapacity(Self.bufferByteCount + 64)
    }

    /// Appends bytes.
    ///
    /// - Throws: `WorkflowError.cannotWrite`.
    func append(_ bytes: some Sequence<UInt8>) throws(WorkflowError) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.bufferByteCount { try flush() }
    }

    private func flush() throws(WorkflowError) {
        do { try handle.write(contentsOf: Data(buffer)) } catch {
            throw .cannotWrite(path: path, problem: error.systemReason)
        }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Goes back to the start.
    ///
    /// - Throws: `WorkflowError.cannotWrite` for what was not written yet.
    func rewind() throws(WorkflowError) {
        if !buffer.isEmpty { try flush() }
        do { try handle.seek(toOffset: 0) } catch {
            throw .cannotWrite(path: path, problem: error.systemReason)
        }
    }

    /// Reads exactly so many bytes.
    ///
    /// - Throws: `WorkflowError.cannotWrite` where the file has been shortened.
    func read(_ count: Int) throws(WorkflowError) -> [UInt8] {
        guard count > 0 else { return [] }
        guard let data = try? handle.read(upToCount: count), data.count == count else {
            throw .cannotWrite(path: path, problem: "has been changed while it was used")
        }
        return [UInt8](data)
    }

    /// Closes and removes the file.
    func remove() {
        try? handle.close()
        try? FileManager.default.removeItem(atPath: path)
    }
}
