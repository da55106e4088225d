import CZlib

/// Compresses bytes into gzip members (RFC 1952), piece by piece. A member holds no time and no name, so that equal bytes
/// give equal files.
package final class GzipStream {
    private static let outputByteCount = 1 << 16
    private var stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private var output = [UInt8](repeating: 0, count: outputByteCount)

    /// Starts a member.
    package init() {
        stream.initialize(to: z_stream())
        // 15 is the largest window, and 16 more asks for gzip's frame.
        let code = deflateInit2_(
            stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(code == Z_OK, "zlib has no memory or is another version: \(code)")
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Adds bytes.
    ///
    /// - Parameter write: takes what has been compressed.
    func append<Failure>(_ bytes: [UInt8], _ write: (ArraySlice<UInt8>) throws(Failure) -> Void) throws(Failure) {
        try run(bytes, Z_NO_FLUSH, write)
    }

    /// Ends the member; what is added from then on is another one.
    func finish<Failure>(_ write: (ArraySlice<UInt8>) throws(Failure) -> Void) throws(Failure) {
        try run([], Z_FINISH, write)
        let code = deflateReset(stream)
        precondition(code == Z_OK, "zlib failed: \(code)")
    }

    /// The member of some bytes alone.
    package func member(_ bytes: [UInt8]) -> [UInt8] {
        var all: [UInt8] = []
        append(bytes) { all += $0 }
        finish { all += $0 }
        return all
    }

    private func run<Failure>(
        _ bytes: [UInt8], _ flush: Int32, _ write: (ArraySlice<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        var start = 0
        repeat {
            // zlib counts the bytes that are left in 32 bits.
            let piece = min(bytes.count - start, 1 << 30)
            let isLast = start + piece == bytes.count
            var rest = piece
            while true {
                let (code, produced, left) = step(bytes, from: start + piece - rest, rest, isLast ? flush : Z_NO_FLUSH)
                rest = left
                if produced > 0 { try write(output[..<produced]) }
                if code == Z_STREAM_END || rest == 0 && produced < Self.outputByteCount { break }
            }
            start += piece
        } while start < bytes.count
    }

    /// One call: at most a buffer of output.
    private func step(_ bytes: [UInt8], from start: Int, _ count: Int, _ flush: Int32) -> (
        code: Int32, produced: Int, left: Int
    ) {
        bytes.withUnsafeBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                // zlib does not write to its input.
                stream.pointee.next_in = input.baseAddress.map { UnsafeMutablePointer(mutating: $0 + start) }
                stream.pointee.avail_in = uInt(count)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = uInt(output.count)
                let code = deflate(stream, flush)
                precondition(code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR, "zlib failed: \(code)")
                return (code, output.count - Int(stream.pointee.avail_out), Int(stream.pointee.avail_in))
            }
        }
    }
}
