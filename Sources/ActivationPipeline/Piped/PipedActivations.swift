import Foundation
import SparseTraining

/// A stream of activations that another program writes: opened, its header read.
package final class PipedActivations: Sendable {
    /// The header.
    package let header: ActivationStreamHeader
    /// What messages call the stream.
    package var name: String { input.name }

    let input: StreamInput
    let blocks: StreamBlocks

    /// The name that stands for standard input among activation files.
    package static let standardInput = "-"

    /// Waits for the header.
    ///
    /// - Parameter batchTokens: rows that are used at once; as many are read ahead.
    /// - Throws: `WorkflowError.badInput` for what is no stream, `.interrupted` where the input says that the wait is over.
    package init(_ input: StreamInput, batchTokens: Int) throws(WorkflowError) {
        self.input = input
        if isatty(input.descriptor) == 1 {
            throw .usage("\(input.name) is a terminal; write a stream of activations to it with a pipe")
        }
        do {
            let reader = try PipeReader(input.descriptor)
            header = try Self.header(of: reader, input)
            blocks = StreamBlocks(header, input, reader, ahead: Self.ahead(header, batchTokens: batchTokens))
        } catch let error as WorkflowError {
            throw error
        } catch PipeReader.Failure.unreadable(let reason) {
            throw .badInput(path: input.name, problem: "cannot be read (\(reason))")
        } catch {
            throw .interrupted("\(input.name): stopped while waiting for the stream; nothing was written")
        }
    }

    deinit { blocks.stop() }

    /// Bytes of blocks that are held at most.
    package static func memory(_ header: ActivationStreamHeader, batchTokens: Int) -> Int {
        ahead(header, batchTokens: batchTokens) * header.blockRows * header.rowBytes
    }

    private static func ahead(_ header: ActivationStreamHeader, batchTokens: Int) -> Int {
        max(2, 1 + (batchTokens + header.blockRows - 1) / header.blockRows)
    }

    /// Starts to read blocks, once, and waits for the first.
    ///
    /// - Throws: `WorkflowError` where there is none, or it is not what it should be; `TrainingError.noTokens`.
    package func start() throws {
        blocks.start()
        switch try blocks.peek() {
        case .block: return
        case .end: throw TrainingError.noTokens(source: name)
        case .failure(let error): throw error
        }
    }

    private static func header(of reader: PipeReader, _ input: StreamInput) throws -> ActivationStreamHeader {
        func bytes(_ count: Int) throws -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: count)
            let read = try bytes.withUnsafeMutableBytes { try reader.read(into: $0, stopped: input.cancelled) }
            guard read == count else {
                throw WorkflowError.badInput(
                    path: input.name,
                    problem: read == 0
                        ? "is empty; the program that should write the stream may have failed"
                        : "ends within the stream's header")
            }
            return bytes
        }

        let length = try bytes(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard (1...UInt64(ActivationStreamHeader.mostHeaderBytes)).contains(length) else {
            throw WorkflowError.badInput(
                path: input.name,
                problem: "is no stream of activations: it claims a header of \(length) bytes; allowed: up to 1 MiB")
        }
        return try ActivationStreamHeader(json: try bytes(Int(length)), name: input.name)
    }
}
