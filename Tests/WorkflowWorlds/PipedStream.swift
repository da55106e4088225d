package import ActivationPipeline
import Foundation
import Glibc

/// The reading end of a pipe through which a stream of activations comes; closed with it.
package final class PipedStream {
    /// The input to read.
    package let input: StreamInput

    /// Opens a pipe that a thread fills.
    ///
    /// - Parameters:
    ///   - pause: microseconds after every piece.
    ///   - piece: bytes written at once.
    ///   - staysOpen: leaves the pipe open at the end, as a producer does that hangs.
    package init(
        _ bytes: [UInt8], pause: UInt32 = 0, piece: Int = 1 << 16, staysOpen: Bool = false,
        cancelled: @escaping @Sendable () -> Bool = { false }
    ) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw POSIXError(.EMFILE) }
        let writeEnd = ends[1]
        signal(SIGPIPE, SIG_IGN)
        Thread {
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.prefix(piece).withUnsafeBytes { write(writeEnd, $0.baseAddress, $0.count) }
                guard count > 0 else { break }
                rest = rest.dropFirst(count)
                if pause > 0 { usleep(pause) }
            }
            if !staysOpen { close(writeEnd) }
        }.start()
        input = StreamInput(descriptor: ends[0], name: "the pipe", cancelled: cancelled)
    }

    deinit { close(input.descriptor) }

    /// Waits for the header.
    package func piped(batchTokens: Int = 4) throws -> PipedActivations {
        try PipedActivations(input, batchTokens: batchTokens)
    }
}
