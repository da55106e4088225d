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
    /// Tokens delivered in this pass.
    private var pass = 0

    init(_ source: Source, layers: [Int], dModel: Int) {
        (self.source, self.layers, self.dModel) = (source, layers, dModel)
        iterator = source.makeIterator()
    }

    var position: StreamPosition { preconditionFailure("training on a sequence keeps no checkpoints") }

    /// - Throws: `RouteSAEError` `.badInput` where a part has another shape than the first, or a pass holds no tokens.
    func fill(_ batch: ActivationBatch) throws {
        for row in 0..<batch.capacity {
            let chunk = try current()
            chunk.copy(next, to: row, of: batch, position: pass)
            (next, pass) = (next + 1, pass + 1)
        }
        batch.count = batch.capacity
    }

    func resume(at position: StreamPosition) throws { preconditionFailure("training on a sequence is not resumed") }

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
