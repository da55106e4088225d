import LinearAlgebra

/// The weights of one decoder layer: norms and biases as fp32, laid out by `LayerLayout`, and four matrices.
struct LayerWeights {
    /// The weight and bias of a norm, each `[width]`; nil where it has none.
    struct Norm {
        let weight: UnsafePointer<Float>?
        let bias: UnsafePointer<Float>?
    }

    let queriesKeysValues: WeightMatrix
    let attentionOutput: WeightMatrix
    let feedForwardInput: WeightMatrix
    let feedForwardOutput: WeightMatrix

    private let layout: LayerLayout
    /// One row that begins with the norms and biases.
    private let buffer: Matrix

    /// Weights that were read to a buffer that holds all of the layer.
    init(layout: LayerLayout, buffer: Matrix) {
        self.layout = layout
        self.buffer = buffer
        queriesKeysValues = .rows(UnsafePointer(buffer.pointer + layout.queriesKeysValues))
        attentionOutput = .rows(UnsafePointer(buffer.pointer + layout.attentionOutput))
        feedForwardInput = .rows(UnsafePointer(buffer.pointer + layout.feedForwardInput))
        feedForwardOutput = .rows(UnsafePointer(buffer.pointer + layout.feedForwardOutput))
    }

    /// Weights that are in memory.
    init(layout: LayerLayout, resident: ResidentLayer) {
        self.layout = layout
        buffer = resident.vectors
        queriesKeysValues = .packed(resident.queriesKeysValues)
        attentionOutput = .packed(resident.attentionOutput)
        feedForwardInput = .packed(resident.feedForwardInput)
        feedForwardOutput = .packed(resident.feedForwardOutput)
    }

    /// The vector at an offset of the layout, if the model has it.
    subscript(_ part: KeyPath<LayerLayout, Int?>) -> UnsafePointer<Float>? { pointer(layout[keyPath: part]) }

    /// A norm, if the model has it.
    subscript(_ part: KeyPath<LayerLayout, LayerLayout.Norm?>) -> Norm? {
        layout[keyPath: part].map { Norm(weight: pointer($0.weight), bias: pointer($0.bias)) }
    }

    private func pointer(_ offset: Int?) -> UnsafePointer<Float>? {
        offset.map { UnsafePointer(buffer.pointer + $0) }
    }
}
