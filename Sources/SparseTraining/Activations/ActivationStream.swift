package import SparseCoding

/// A source of training batches: activations computed by a model, read from a file, or exported by
/// another program, without a difference to training.
package protocol ActivationStream: AnyObject {
    /// The decoder layers it delivers, ascending.
    var layers: [Int] { get }
    /// Width of the residual stream.
    var dModel: Int { get }
    /// The current position: stored in checkpoints, so that a new stream continues with the same tokens.
    var position: StreamPosition { get }

    /// Fills the batch to its capacity with real tokens, starting over at the end of the source.
    ///
    /// - Throws: what reading or computing the activations throws; `TrainingError.noTokens` if there are none.
    func fill(_ batch: ActivationBatch) throws

    /// Resumes at a position of a stream over the same source with the same settings.
    ///
    /// - Throws: `TrainingError.mismatch` if the source has no such position.
    func resume(at position: StreamPosition) throws
}

/// The position of a stream.
package struct StreamPosition {
    /// Positions and counts by name.
    package var numbers: [String: UInt64]
    /// Tokens read but not delivered, in order: rows `waiting` of this batch.
    package var buffer: ActivationBatch?
    /// Which rows of `buffer` they are.
    package var waiting: Range<Int>

    /// Makes a position.
    package init(numbers: [String: UInt64], buffer: ActivationBatch? = nil, waiting: Range<Int> = 0..<0) {
        self.numbers = numbers
        self.buffer = buffer
        self.waiting = waiting
    }

    /// One of the numbers.
    ///
    /// - Throws: `TrainingError.mismatch` where it is missing or beyond `most`.
    package func number(_ name: String, upTo most: Int) throws(TrainingError) -> Int {
        guard let value = numbers[name], value <= UInt64(max(most, 0)) else {
            throw .mismatch(
                path: "checkpoint",
                what: "the stream's \(name) is \(numbers[name].map { String($0) } ?? "missing"); at most \(most) fits "
                    + "the source")
        }
        return Int(value)
    }
}
