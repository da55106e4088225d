import LinearAlgebra

/// The weights of one decoder layer in memory, its matrices packed for products.
struct ResidentLayer: Sendable {
    /// Norms and biases, in the places that `LayerLayout` gives them; one row.
    let vectors: Matrix
    /// bf16 where all of a matrix is stored so, or where products are of bf16.
    let matrices: LayerMatrices<PackedMatrix>

    /// Bytes in memory.
    var byteCount: Int { matrices.all.reduce(vectors.count * 4) { $0 + $1.byteCount } }

    /// Reads a layer.
    ///
    /// - Parameters:
    ///   - buffer: room for the whole layer as fp32, one row.
    ///   - storage: where the matrices are to lie.
    /// - Throws: `.nonFiniteWeight`.
    init(
        _ layer: Int, of file: WeightFile, model: LanguageModelConfiguration, layout: LayerLayout, buffer: Matrix,
        precision: Precision, in storage: MatrixStorage, workers: Workers
    ) throws(LanguageModelError) {
        try file.read(layer: layer, layout: layout, into: buffer, workers: workers)
        vectors = Matrix(rows: 1, columns: layout.vectorCount)
        vectors.pointer.update(from: buffer.pointer, count: layout.vectorCount)
        matrices = LayerMatrices(layout, of: model) { place, outputs, inputs in
            let names = layout.entries(at: place, count: outputs * inputs).map { file.name(of: $0, layer: layer) }
            return PackedMatrix(
                buffer.pointer + place, rows: outputs, columns: inputs,
                halved: precision == .bf16 || names.allSatisfy(file.isHalved), wide: true, in: storage, workers: workers
            )
        }
    }
}
