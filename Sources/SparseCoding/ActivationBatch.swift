package import LinearAlgebra
import RandomNumbers

/// A batch of residual-stream activations, the unit of all later processing.
package final class ActivationBatch: @unchecked Sendable {
    /// The decoder layers of a row, ascending.
    package let layers: [Int]
    /// Width of the residual stream.
    package let dModel: Int
    /// Activations, row-major `[capacity, layers, dModel]`: one row of `values` holds one token's layers in order.
    package let values: Matrix
    /// The vocabulary id of each token.
    package var tokenIDs: [Int32]
    /// The document of each token, by the stream's own numbering.
    package var documentIDs: [Int64]
    /// A key that belongs to the token wherever it occurs: random draws for a token use it, so
    /// that they depend on neither order nor division of the text. See `drawKey(document:position:)`.
    package var drawKeys: [UInt64]
    /// How many rows are in use.
    package var count: Int

    /// The most rows the batch can hold.
    package var capacity: Int { values.rows }

    /// Makes an empty batch with room for `capacity` tokens.
    package init(capacity: Int, layers: [Int], dModel: Int) {
        self.layers = layers
        self.dModel = dModel
        values = Matrix(rows: capacity, columns: layers.count * dModel)
        tokenIDs = Array(repeating: 0, count: capacity)
        documentIDs = Array(repeating: 0, count: capacity)
        drawKeys = Array(repeating: 0, count: capacity)
        count = 0
    }

    /// The draw key of the token at a position of a document, or of the row of a file; BOS is at position −1.
    package static func drawKey(document: Int, position: Int) -> UInt64 {
        let text = SplitMix64.mixed(UInt64(bitPattern: Int64(document)))
        return SplitMix64.mixed(text &+ UInt64(bitPattern: Int64(position)))
    }

    /// Copies one token's activations and numbers from a row of a batch of the same shape.
    package func copyRow(_ row: Int, from other: ActivationBatch, row source: Int) {
        values.row(row).update(from: other.values.row(source), count: values.columns)
        tokenIDs[row] = other.tokenIDs[source]
        documentIDs[row] = other.documentIDs[source]
        drawKeys[row] = other.drawKeys[source]
    }
}
