import LinearAlgebra
import SparseCoding

/// Residual-stream activations of some tokens: what a dictionary encodes and learns from.
///
///     let activations = try Activations(values, layers: [3, 4, 5], dModel: 576)
public struct Activations: Sendable {
    /// The decoder layers they hold, counted from 0, ascending. A layer's activation is the residual stream after it.
    public let layers: [Int]
    /// Width of the residual stream.
    public let dModel: Int
    /// The values, row-major `[tokens × layers × dModel]`.
    public let values: [Float]

    /// Makes activations.
    ///
    /// - Throws: ``RouteSAEError`` `.badInput` where `values` is no whole number of tokens or holds an infinity or a NaN,
    ///   `.usage` for layers that are not ascending.
    public init(_ values: [Float], layers: [Int], dModel: Int) throws(RouteSAEError) {
        guard !layers.isEmpty, layers[0] >= 0, zip(layers, layers.dropFirst()).allSatisfy(<) else {
            throw RouteSAEError(.usage, "the layers are \(layers); allowed: ascending layer numbers from 0")
        }
        let (width, isOverflow) = layers.count.multipliedReportingOverflow(by: dModel)
        guard dModel > 0, !isOverflow, values.count.isMultiple(of: width) else {
            throw RouteSAEError(
                .badInput,
                "\(values.count) values are no whole number of tokens of \(layers.count) layers of width \(dModel)")
        }
        guard values.allSatisfy(\.isFinite) else {
            throw RouteSAEError(.badInput, "the activations hold an infinity or a NaN")
        }
        (self.values, self.layers, self.dModel) = (values, layers, dModel)
    }

    /// Number of tokens.
    public var tokenCount: Int { values.count / (layers.count * dModel) }

    /// The batch that the encoder reads.
    func batch(of tokens: Range<Int>) -> ActivationBatch {
        let batch = ActivationBatch(capacity: tokens.count, layers: layers, dModel: dModel)
        for (row, token) in tokens.enumerated() { copy(token, to: row, of: batch, position: token) }
        batch.count = tokens.count
        return batch
    }

    /// Copies one token's values into a row of a batch of the same shape.
    ///
    /// - Parameter position: of the token in the stream, from which the layer of a `random` dictionary is drawn.
    func copy(_ token: Int, to row: Int, of batch: ActivationBatch, position: Int) {
        batch.drawKeys[row] = ActivationBatch.drawKey(document: 0, position: position)
        let width = layers.count * dModel
        values.withUnsafeBufferPointer { values in
            guard let start = values.baseAddress else { return }
            batch.values.row(row).update(from: start + token * width, count: width)
        }
    }
}
