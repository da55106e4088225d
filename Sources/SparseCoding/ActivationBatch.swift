public import LinearAlgebra

/// A batch of residual-stream activations, the unit in which everything downstream works.
public final class ActivationBatch: @unchecked Sendable {
    /// The decoder layers at hand, ascending.
    public let layers: [Int]
    /// Width of the residual stream.
    public let dModel: Int
    /// Activations, row-major `[capacity, layers, dModel]`: one row of `values` holds one token's layers in order.
    public let values: Matrix
    /// The vocabulary id of each token.
    public var tokenIDs: [Int32]
    /// The document of each token, by the stream's own numbering.
    public var documentIDs: [Int64]
    /// How many rows are in use.
    public var count: Int

    /// The most rows the batch can hold.
    public var capacity: Int { values.rows }

    /// Makes an empty batch with room for `capacity` tokens.
    public init(capacity: Int, layers: [Int], dModel: Int) {
        self.layers = layers
        self.dModel = dModel
        values = Matrix(rows: capacity, columns: layers.count * dModel)
        tokenIDs = Array(repeating: 0, count: capacity)
        documentIDs = Array(repeating: 0, count: capacity)
        count = 0
    }
}
