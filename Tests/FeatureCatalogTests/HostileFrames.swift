import CZstd
import Foundation
import TestSupport

/// An attacker's data, made without the catalog's own functions.
enum HostileFrames {
    /// A frame of zeros, some ten thousandth of their number.
    static func zeros(_ count: Int, withSize: Bool = true, withChecksum: Bool = true) -> [UInt8] {
        guard let context = ZSTD_createCCtx() else { return [] }
        defer { ZSTD_freeCCtx(context) }
        _ = ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, withChecksum ? 1 : 0)
        _ = ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, withSize ? 1 : 0)
        _ = ZSTD_CCtx_setPledgedSrcSize(context, UInt64(count))
        // In pieces, for the test shall not hold what it checks that nobody holds.
        let piece = [UInt8](repeating: 0, count: min(count, 1 << 20))
        var frame: [UInt8] = []
        var space = [UInt8](repeating: 0, count: 1 << 17)
        var left = count
        var isDone = false
        while !isDone {
            let size = min(left, piece.count)
            left -= size
            piece.withUnsafeBytes { source in
                var input = ZSTD_inBuffer(src: source.baseAddress, size: size, pos: 0)
                repeat {
                    let rest = space.withUnsafeMutableBytes { target in
                        var output = ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                        let rest = ZSTD_compressStream2(
                            context, &output, &input, left == 0 ? ZSTD_e_end : ZSTD_e_continue)
                        frame += target[..<output.pos]
                        return rest
                    }
                    isDone = left == 0 && rest == 0
                } while left == 0 ? !isDone : input.pos < size
            }
        }
        return frame
    }

    /// SHA-256 by the system's own tool.
    static func sha256(_ bytes: [UInt8]) throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(bytes).write(to: file)
        let (process, pipe) = (Process(), Pipe())
        process.executableURL = URL(filePath: "/usr/bin/sha256sum")
        process.arguments = [file.path]
        process.standardOutput = pipe
        try process.start()
        process.waitUntilExit()
        return String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self).prefix(64)
            .description
    }
}
