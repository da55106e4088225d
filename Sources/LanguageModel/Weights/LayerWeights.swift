import LinearAlgebra

/// The weights of one decoder layer: norms and biases as fp32, laid out by `LayerLayout`, and four matrices.
struct LayerWeights {
    let queriesKeysValues: WeightMatrix
    let attentionOutput: WeightMatrix
    let gateAndValue: WeightMatrix
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
        gateAndValue = .rows(UnsafePointer(buffer.pointer + layout.gateAndValue))
        feedForwardOutput = .rows(UnsafePointer(buffer.pointer + layout.feedForwardOutput))
    }

    /// Weights that are in memory.
    init(layout: LayerLayout, resident: ResidentLayer) {
        self.layout = layout
        buffer = resident.vectors
        queriesKeysValues = .packed(resident.queriesKeysValues)
        attentionOutput = .packed(resident.attentionOutput)
        gateAndValue = .packed(resident.gateAndValue)
        feedForwardOutput = .packed(resident.feedForwardOutput)
    }

    /// The norm at an offset of the layout.
    subscript(_ part: KeyPath<LayerLayout, Int>) -> UnsafePointer<Float> {
        UnsafePointer(buffer.pointer + layout[keyPath: part])
    }

    /// The norm or bias at an offset of the layout, if the model has it.
    subscript(_ part: KeyPath<LayerLayout, Int?>) -> UnsafePointer<Float>? {
        layout[keyPath: part].map { UnsafePointer(buffer.pointer + $0) }
    }
}
