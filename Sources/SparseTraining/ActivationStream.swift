package import SparseCoding

/// A source of training batches. Training cannot tell whether a model makes the activations now, a file on disk holds
/// them, or another program exported them.
package protocol ActivationStream: AnyObject {
    /// The decoder layers it delivers, ascending.
    var layers: [Int] { get }
    /// Width of the residual stream.
    var dModel: Int { get }
    /// Where it stands: what a checkpoint keeps, so that a stream made anew goes on with the same tokens.
    var position: StreamPosition { get }

    /// Fills the batch to its capacity with real tokens, starting over where the source ends.
    ///
    /// - Throws: what reading or computing the activations throws; `TrainingError.noTokens` if there are none.
    func fill(_ batch: ActivationBatch) throws

    /// Takes up a position of a stream over the same source with the same settings.
    ///
    /// - Throws: `TrainingError.mismatch` where the source has no such position.
    func resume(at position: StreamPosition) throws
}

/// Where a stream stands.
package struct StreamPosition {
    /// Places and counts by name.
    package var numbers: [String: UInt64]
    /// Tokens that have been read and not delivered, in the order they lie: rows `waiting` of this batch.
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
