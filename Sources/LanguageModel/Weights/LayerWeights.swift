import LinearAlgebra

/// The weights of one decoder layer: norms and biases as fp32, laid out by `LayerLayout`, and four matrices.
struct LayerWeights {
    /// The weight and bias of a norm, each `[width]`; nil where it has none.
    struct Norm {
        let weight: UnsafePointer<Float>?
        let bias: UnsafePointer<Float>?
    }

    let matrices: LayerMatrices<WeightMatrix>

    private let layout: LayerLayout
    /// One row that begins with the norms and biases.
    private let vectors: Matrix

    /// - Parameter vectors: a row that begins with the norms and biases, laid out as `layout` says.
    init(layout: LayerLayout, vectors: Matrix, matrices: LayerMatrices<WeightMatrix>) {
        self.layout = layout
        self.vectors = vectors
        self.matrices = matrices
    }

    /// The vector at an offset of the layout, if the model has it.
    subscript(_ part: KeyPath<LayerLayout, Int?>) -> UnsafePointer<Float>? { pointer(layout[keyPath: part]) }

    /// A norm, if the model has it.
    subscript(_ part: KeyPath<LayerLayout, LayerLayout.Norm?>) -> Norm? {
        layout[keyPath: part].map { Norm(weight: pointer($0.weight), bias: pointer($0.bias)) }
    }

    private func pointer(_ offset: Int?) -> UnsafePointer<Float>? {
        offset.map { UnsafePointer(vectors.pointer + $0) }
    }
}
