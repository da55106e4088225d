package import SparseCoding

/// Rows of activations in a fixed order, one for each token, read from the first to the last.
///
/// `WindowedActivationStream` makes batches of them. Whatever delivers the same rows trains the same dictionary.
package protocol ActivationRows: AnyObject {
    /// The decoder layers of a delivered row, ascending.
    var layers: [Int] { get }
    /// Width of the residual stream.
    var dModel: Int { get }
    /// The position, by name, to resume at.
    var numbers: [String: UInt64] { get }

    /// Appends the next rows to a batch of the same layers and width, after those that it holds.
    ///
    /// Each row brings its token id, its document, and the draw key of its number in the order (document 0).
    ///
    /// - Parameter count: how many; the batch has room for them.
    /// - Returns: how many there were: fewer only at the end.
    /// - Throws: what reading throws. The position may have moved then; the batch's first rows are as before.
    func append(_ count: Int, to batch: ActivationBatch) throws -> Int

    /// Begins again with the first row, after the last one was read.
    ///
    /// - Throws: `TrainingError` where there is no second pass, or there were no rows.
    func startOver() throws

    /// Resumes at a position of rows that were the same up to there.
    ///
    /// - Throws: `TrainingError.mismatch` if there is no such position; what reading throws.
    func resume(at position: StreamPosition) throws
}
