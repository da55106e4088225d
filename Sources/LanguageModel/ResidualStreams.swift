public import LinearAlgebra

/// The residual stream after some decoder layers, for every token of a batch.
public struct ResidualStreams: Sendable {
    /// The decoder layers, counted from 0, in the order in which they lie in `values`.
    public let layers: [Int]
    /// The number of tokens, in the order of the batch.
    public let tokens: Int
    /// The width of the residual stream.
    public let dModel: Int
    /// `[tokens × layers.count · dModel]`, row-major: for each token the layers one behind the other.
    public let values: Matrix

    /// The stream of one token after the layer at `slot` of `layers`: `dModel` floats.
    public func stream(token: Int, slot: Int) -> UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(start: values.row(token) + slot * dModel, count: dModel)
    }
}
