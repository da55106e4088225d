package import LinearAlgebra

/// The residual stream after some decoder layers, for every token of a batch.
package struct ResidualStreams: Sendable {
    /// The decoder layers, counted from 0, in the order in which they lie in `values`.
    package let layers: [Int]
    /// The number of tokens, in the order of the batch.
    package let tokens: Int
    /// The width of the residual stream.
    package let dModel: Int
    /// `[tokens × layers.count · dModel]`, row-major: for each token the layers one behind the other.
    package let values: Matrix

    /// The stream of one token after the layer at `slot` of `layers`: `dModel` floats.
    package func stream(token: Int, slot: Int) -> UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(start: values.row(token) + slot * dModel, count: dModel)
    }

    /// Those of the tokens behind the first `count`.
    package func dropFirst(_ count: Int) -> ResidualStreams {
        guard count > 0 else { return self }
        let rest = Matrix(rows: tokens - count, columns: values.columns)
        rest.pointer.update(from: values.row(count), count: rest.count)
        return ResidualStreams(layers: layers, tokens: tokens - count, dModel: dModel, values: rest)
    }
}
