package import LinearAlgebra

extension LanguageModel {
    /// The residual stream after decoder layers (counted from 0, before the final norm): what Hugging Face calls
    /// `hidden_states[layer + 1]`, except that its last entry has the final norm applied.
    ///
    /// The pass ends after the last layer asked for.
    ///
    /// - Parameters:
    ///   - batch: the sequences.
    ///   - layers: which layers, in the order wanted in the result.
    ///   - editing: called after every layer that is computed, in order; its changes are returned.
    ///   - storage: where to put the values, `[at least tokens × layers.count · dModel]`, to spare an allocation where
    ///     many batches follow each other; new memory if nil.
    /// - Throws: `.tokenOutOfRange`, `.sequenceTooLong`, `.noSuchLayer`, `.nonFiniteWeight`, and what `editing` throws.
    package func residualStreams(
        of batch: TokenBatch, layers: [Int], editing: ResidualEdit? = nil, into storage: Matrix? = nil
    ) throws -> ResidualStreams {
        for layer in layers where !(0..<configuration.layerCount).contains(layer) {
            throw LanguageModelError.noSuchLayer(layer: layer, layerCount: configuration.layerCount)
        }

        let d = configuration.dModel
        let tokens = batch.tokens.count
        if let storage {
            precondition(
                storage.rows >= tokens && storage.columns == layers.count * d,
                "the storage for residual streams is [\(storage.rows) × \(storage.columns)]")
        }

        let values = storage ?? Matrix(rows: tokens, columns: layers.count * d)
        return try forward(
            batch, layers: (layers.max() ?? -1) + 1, editing: editing,
            afterLayer: { layer, pass in
                for (slot, wanted) in layers.enumerated() where wanted == layer {
                    workers.forEach(tokens, tile: 256) { rows, _ in
                        for row in rows { (values.row(row) + slot * d).update(from: pass.residual.row(row), count: d) }
                    }
                }
            },
            finish: { _ in ResidualStreams(layers: layers, tokens: tokens, dModel: d, values: values) })
    }

    /// The residual stream after the last decoder layer, before the final norm, from the one after an earlier layer:
    /// the cost of seeing the effect of a change in that layer.
    ///
    /// - Parameters:
    ///   - batch: the sequences.
    ///   - layer: the layer to continue after.
    ///   - residual: the stream after it, `[tokens × dModel]`, changed or not; the first rows are used.
    ///   - editing: called after every layer that is computed, in order.
    /// - Returns: `[tokens × dModel]`.
    /// - Throws: as `residualStreams(of:layers:editing:into:)`.
    package func lastResidualStream(
        of batch: TokenBatch, after layer: Int, residual: Matrix, editing: ResidualEdit? = nil
    ) throws -> Matrix {
        guard (0..<configuration.layerCount).contains(layer) else {
            throw LanguageModelError.noSuchLayer(layer: layer, layerCount: configuration.layerCount)
        }

        let d = configuration.dModel
        let tokens = batch.tokens.count
        precondition(
            residual.rows >= tokens && residual.columns == d,
            "a residual stream of \(residual.rows) × \(residual.columns)")
        return try forward(
            batch, layers: configuration.layerCount, startingAfter: (layer, residual), editing: editing
        ) { pass in
            let last = Matrix(scratchRows: tokens, columns: d)
            last.pointer.update(from: pass.residual.pointer, count: tokens * d)
            return last
        }
    }
}
