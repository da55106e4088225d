import Foundation
import Glibc

/// A plain file open for reading, in pieces or by ranges. It is not memory-mapped: a file that is truncated meanwhile
/// gives an error, and one that is removed is still read to its end.
final class TextFile: Sendable {
    let path: String
    private let descriptor: Int32

    /// Bytes of a piece; more where one line is longer.
    private static let pieceSize = 1 << 20

    /// Opens a file.
    ///
    /// - Throws: `WorkflowError.badInput` for what cannot be opened or is no plain file.
    init(_ path: String) throws(WorkflowError) {
        self.path = path
        // Not blocking: a pipe would wait for somebody to write.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            let kind = FileKind(path)
            throw .badInput(path: path, problem: kind == .plain ? "cannot be opened (\(reason))" : kind.problem)
        }

        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            let kind = FileKind(path)
            close(descriptor)
            throw .badInput(path: path, problem: kind == .plain ? "cannot be read" : kind.problem)
        }
    }

    deinit { close(descriptor) }

    /// Reads the file from beginning to end.
    ///
    /// - Parameters:
    ///   - eachRead: receives all bytes, each once.
    ///   - body: receives a piece, the offset of its first byte and whether it is the last; returns how many bytes it
    ///     consumed. The others come again, with more behind them.
    func forEachPiece(
        eachRead: (UnsafeRawBufferPointer) -> Void,
        _ body: (_ bytes: UnsafeRawBufferPointer, _ offset: Int, _ isLast: Bool) throws -> Int
    ) throws {
        var buffer = [UInt8](repeating: 0, count: TextFile.pieceSize)
        var (filled, offset) = (0, 0)
        while true {
            if filled == buffer.count { buffer += [UInt8](repeating: 0, count: buffer.count) }
            let count = try buffer.withUnsafeMutableBytes { bytes in
                let count = try read(
                    into: UnsafeMutableRawBufferPointer(rebasing: bytes[filled...]), at: offset + filled)
                eachRead(UnsafeRawBufferPointer(rebasing: bytes[filled..<filled + count]))
                return count
            }
            filled += count
            let done = try buffer.withUnsafeBytes {
                try body(UnsafeRawBufferPointer(rebasing: $0[..<filled]), offset, count == 0)
            }
            if count == 0 { return }
            buffer.withUnsafeMutableBytes { bytes in
                guard done > 0, let base = bytes.baseAddress else { return }
                memmove(base, base + done, filled - done)
            }
            filled -= done
            offset += done
        }
    }

    /// The bytes of a range.
    ///
    /// - Throws: `WorkflowError.badInput` where the file ends before it, or cannot be read.
    func bytes(_ range: Range<Int>) throws(WorkflowError) -> [UInt8] {
        var problem: WorkflowError?
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            while count < range.count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
                do throws(WorkflowError) {
                    let read = try read(into: rest, at: range.lowerBound + count)
                    if read == 0 { problem = .badInput(path: path, problem: "has become shorter while it was read") }
                    count += read
                } catch { problem = error }
                if problem != nil { return }
            }
        }
        if let problem { throw problem }
        return bytes
    }

    private func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(WorkflowError) -> Int {
        while true {
            let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            if count >= 0 { return count }
            guard errno == EINTR else {
                throw .badInput(path: path, problem: "cannot be read (\(String(cString: strerror(errno))))")
            }
        }
    }
}
