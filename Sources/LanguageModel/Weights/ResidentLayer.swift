import LinearAlgebra

/// The weights of one decoder layer in memory, its matrices packed for products.
struct ResidentLayer: Sendable {
    /// Norms and biases, in the places that `LayerLayout` gives them; one row.
    let vectors: Matrix
    /// The matrices as `LayerLayout` joins them.
    let queriesKeysValues: PackedMatrix
    let attentionOutput: PackedMatrix
    let feedForwardInput: PackedMatrix
    let feedForwardOutput: PackedMatrix

    /// Bytes in memory.
    var byteCount: Int {
        [queriesKeysValues, attentionOutput, feedForwardInput, feedForwardOutput].reduce(vectors.count * 4) {
            $0 + $1.byteCount
        }
    }

    /// Reads a layer.
    ///
    /// - Parameter buffer: room for the whole layer as fp32, one row.
    /// - Throws: `.nonFiniteWeight`.
    init(
        _ layer: Int, of file: WeightFile, model: LanguageModelConfiguration, layout: LayerLayout, buffer: Matrix,
        workers: Workers
    ) throws(LanguageModelError) {
        try file.read(layer: layer, layout: layout, into: buffer, workers: workers)
        vectors = Matrix(rows: 1, columns: layout.vectorCount)
        vectors.pointer.update(from: buffer.pointer, count: layout.vectorCount)

        /// Packs the adjacent tensors that begin at an offset.
        func packed(_ place: Int, outputs: Int, inputs: Int) -> PackedMatrix {
            let names = layout.entries.filter { (place..<place + outputs * inputs).contains($0.offset) }.map {
                file.name(of: $0, layer: layer)
            }
            return PackedMatrix(
                buffer.pointer + place, rows: outputs, columns: inputs, halved: names.allSatisfy(file.isHalved),
                workers: workers)
        }

        let (d, hidden) = (model.dModel, model.dFeedForward)
        let attended = model.queryHeads * model.headDimension
        queriesKeysValues = packed(
            layout.queriesKeysValues, outputs: attended + 2 * model.keyValueHeads * model.headDimension, inputs: d)
        attentionOutput = packed(layout.attentionOutput, outputs: d, inputs: attended)
        feedForwardInput = packed(layout.feedForwardInput, outputs: model.isGated ? 2 * hidden : hidden, inputs: d)
        feedForwardOutput = packed(layout.feedForwardOutput, outputs: d, inputs: hidden)
    }
}
