import CZstd
import Synchronization

/// Zstandard frames as the catalog keeps them: one frame a blob, with content size and checksum.
package enum Zstd {
    /// The level that the catalog writes with.
    package static let defaultLevel = 3

    /// A frame could not be made or read.
    package struct Failure: Error, CustomStringConvertible, Sendable {
        /// The problem, in one line.
        package let description: String
    }

    /// Compresses `bytes` into one frame that carries its content size and a checksum.
    ///
    /// - Throws: ``Failure`` if memory runs out.
    package static func compress(_ bytes: [UInt8], level: Int = defaultLevel) throws(Failure) -> [UInt8] {
        let context = try compressors.take()
        defer { compressors.giveBack(context) }
        _ = ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters)
        _ = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
        _ = ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
        _ = ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1)
        let bound = ZSTD_compressBound(bytes.count)
        var code = 0
        let frame = [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            code = bytes.withUnsafeBytes {
                ZSTD_compress2(context, buffer.baseAddress, bound, $0.baseAddress, $0.count)
            }
            count = ZSTD_isError(code) == 0 ? code : 0
        }
        guard ZSTD_isError(code) == 0 else { throw failure(code) }
        guard bytes.count <= largestContent(of: frame) else {
            throw Failure(description: "\(bytes.count) bytes that repeat themselves too often to be kept")
        }
        return frame
    }

    /// The largest content accepted of a frame: larger than anything worth keeping, yet small enough
    /// that a file bounds the memory it can ask for.
    private static func largestContent(of frame: [UInt8]) -> Int {
        max(1 << 20, 256 * frame.count)
    }

    /// Decompresses one whole frame whose content is at most `limit` bytes.
    ///
    /// The size claimed by the frame is compared with `limit` before any memory is allocated, and the frame must
    /// carry a checksum.
    ///
    /// - Throws: ``Failure`` if `frame` is not exactly one such frame, needs a dictionary, or its checksum does not
    ///   match.
    package static func decompress(_ frame: [UInt8], limit: Int) throws(Failure) -> [UInt8] {
        try decompress(frame, limit: limit, dictionary: nil)
    }

    /// As ``decompress(_:limit:)``, for frames that may need a dictionary.
    ///
    /// - Parameter dictionary: The zstd dictionary of the frame; nil for none.
    package static func decompress(
        _ frame: [UInt8], limit: Int, dictionary: ZstdDictionary?
    ) throws(Failure) -> [UInt8] {
        // The fifth byte of a frame describes it; its third bit says that a checksum follows the content.
        guard frame.count > 5, frame.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) else {
            throw Failure(description: "not a zstd frame")
        }
        guard frame[4] & 0x04 != 0 else { throw Failure(description: "zstd frame without a checksum") }
        let size = frame.withUnsafeBytes { ZSTD_getFrameContentSize($0.baseAddress, $0.count) }
        // The two largest numbers stand for "unknown" and "error".
        guard size < UInt64.max - 1 else { throw Failure(description: "zstd frame without a content size") }
        guard size <= UInt64(max(limit, 0)) else {
            throw Failure(description: "zstd frame claims \(size) bytes where at most \(limit) belong")
        }
        guard size <= UInt64(largestContent(of: frame)) else {
            throw Failure(description: "zstd frame of \(frame.count) bytes claims \(size), more than any content")
        }

        let length = frame.withUnsafeBytes { ZSTD_findFrameCompressedSize($0.baseAddress, $0.count) }
        guard ZSTD_isError(length) == 0 else { throw failure(length) }
        guard length == frame.count else { throw Failure(description: "bytes after the zstd frame") }

        let wanted = Int(frame.withUnsafeBytes { ZSTD_getDictID_fromFrame($0.baseAddress, $0.count) })
        guard wanted == 0 || wanted == dictionary?.id else {
            throw Failure(description: "zstd frame that needs the dictionary \(wanted)")
        }

        let context = try decompressors.take()
        defer { decompressors.giveBack(context) }
        var code = 0
        let content = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            code = frame.withUnsafeBytes {
                if wanted != 0, let dictionary {
                    ZSTD_decompress_usingDDict(
                        context, buffer.baseAddress, Int(size), $0.baseAddress, $0.count, dictionary.decompressing)
                } else {
                    ZSTD_decompressDCtx(context, buffer.baseAddress, Int(size), $0.baseAddress, $0.count)
                }
            }
            count = ZSTD_isError(code) == 0 ? code : 0
        }
        guard ZSTD_isError(code) == 0 else { throw failure(code) }
        guard content.count == Int(size) else { throw Failure(description: "zstd frame shorter than it claims") }
        return content
    }

    static func failure(_ code: Int) -> Failure {
        Failure(description: "zstd: \(String(cString: ZSTD_getErrorName(code)))")
    }

    private static let compressors = ContextPool(make: { ZSTD_createCCtx() })
    private static let decompressors = ContextPool(make: { ZSTD_createDCtx() })

    /// Idle contexts: creating one for each of a million small blobs would cost more than the blobs.
    private final class ContextPool: Sendable {
        private struct Context: @unchecked Sendable { let pointer: OpaquePointer }
        private let idle = Mutex<[Context]>([])
        private let make: @Sendable () -> OpaquePointer?

        init(make: @escaping @Sendable () -> OpaquePointer?) {
            self.make = make
        }

        func take() throws(Failure) -> OpaquePointer {
            if let context = idle.withLock({ $0.popLast() }) { return context.pointer }
            guard let pointer = make() else { throw Failure(description: "zstd: out of memory") }
            return pointer
        }

        func giveBack(_ pointer: OpaquePointer) {
            let context = Context(pointer: pointer)
            idle.withLock { $0.append(context) }
        }
    }
}
