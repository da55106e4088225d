public import SparseCoding

/// A source of training batches. Training cannot tell whether a model makes the activations now, a file on disk holds
/// them, or another program exported them.
public protocol ActivationStream: AnyObject {
    /// The decoder layers it delivers, ascending.
    var layers: [Int] { get }
    /// Width of the residual stream.
    var dModel: Int { get }
    /// Fills the batch to its capacity with real tokens, starting over where the source ends.
    ///
    /// - Throws: what reading or computing the activations throws; `TrainingError.noTokens` if there are none.
    func fill(_ batch: ActivationBatch) throws
}
