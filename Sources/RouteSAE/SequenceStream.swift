import SparseCoding
import SparseTraining

/// The activations of a sequence, token by token, from the beginning again where it ends.
final class SequenceStream<Source: Sequence<Activations>>: ActivationStream {
    let layers: [Int]
    let dModel: Int
    private let source: Source
    private var iterator: Source.Iterator
    private var chunk: Activations?
    /// Token of `chunk` that comes next.
    private var next = 0
    /// Tokens delivered in this pass, and in all.
    private var (pass, delivered) = (0, 0)

    init(_ source: Source, layers: [Int], dModel: Int) {
        (self.source, self.layers, self.dModel) = (source, layers, dModel)
        iterator = source.makeIterator()
    }

    var position: StreamPosition { StreamPosition(numbers: ["tokens": UInt64(delivered)]) }

    /// - Throws: `RouteSAEError` `.badInput` where a part has another shape than the first, or a pass holds no tokens.
    func fill(_ batch: ActivationBatch) throws {
        for row in 0..<batch.capacity {
            let chunk = try current()
            chunk.copy(next, to: row, of: batch)
            batch.tokenIDs[row] = 0
            batch.documentIDs[row] = 0
            batch.drawKeys[row] = ActivationBatch.drawKey(document: 0, position: pass)
            (next, pass, delivered) = (next + 1, pass + 1, delivered + 1)
        }
        batch.count = batch.capacity
    }

    /// Reads up to the position again.
    func resume(at position: StreamPosition) throws {
        for _ in 0..<(try position.number("tokens", upTo: Int.max)) {
            _ = try current()
            (next, pass, delivered) = (next + 1, pass + 1, delivered + 1)
        }
    }

    /// The part that holds the next token.
    private func current() throws -> Activations {
        while true {
            if let chunk, next < chunk.tokenCount { return chunk }
            next = 0
            if let following = iterator.next() {
                guard following.layers == layers, following.dModel == dModel else {
                    throw RouteSAEError(
                        .badInput,
                        "the stream of activations goes from layers \(layers) of width \(dModel) over to layers "
                            + "\(following.layers) of width \(following.dModel)")
                }
                chunk = following
            } else {
                guard pass > 0 else {
                    throw RouteSAEError(.badInput, "the stream of activations holds no tokens on a second pass")
                }
                (chunk, pass) = (nil, 0)
                iterator = source.makeIterator()
            }
        }
    }
}
