import LinearAlgebra

/// The weights of one decoder layer, fp32, in a buffer laid out by `LayerLayout`.
struct LayerWeights {
    let layout: LayerLayout
    /// One row that holds all weights.
    let buffer: Matrix

    /// The weights that begin at a place of the layout.
    subscript(_ part: KeyPath<LayerLayout, Int>) -> UnsafePointer<Float> {
        UnsafePointer(buffer.pointer + layout[keyPath: part])
    }

    /// The weights that begin at a place of the layout, if the model has them.
    subscript(_ part: KeyPath<LayerLayout, Int?>) -> UnsafePointer<Float>? {
        layout[keyPath: part].map { UnsafePointer(buffer.pointer + $0) }
    }
}
