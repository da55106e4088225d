import LinearAlgebra

/// Memory for the weights of one layer that are not kept, reused from layer to layer.
final class LayerScratch: @unchecked Sendable {
    /// One row of f32.
    private var buffer: Matrix?
    /// The layer's matrices rounded to bf16.
    private var rounded: LayerMatrices<PackedMatrix>?

    /// A row of at least this many floats.
    func buffer(count: Int) -> Matrix {
        if let buffer, buffer.columns >= count { return buffer }
        let fresh = Matrix(rows: 1, columns: count)
        buffer = fresh
        return fresh
    }

    /// Packs the matrices of a layer, rounded to bf16.
    ///
    /// - Parameter weights: the layer, laid out as `layout` says.
    func round(
        _ weights: Matrix, layout: LayerLayout, of model: LanguageModelConfiguration, workers: Workers
    ) -> LayerMatrices<PackedMatrix> {
        let matrices =
            rounded
            ?? LayerMatrices(layout, of: model) { _, outputs, inputs in
                PackedMatrix(rows: outputs, columns: inputs, halved: true)
            }
        rounded = matrices
        let offsets = LayerMatrices(layout, of: model) { place, _, _ in place }
        for (matrix, offset) in zip(matrices.all, offsets.all) {
            matrix.update(from: weights.pointer + offset, workers: workers)
        }
        return matrices
    }
}
