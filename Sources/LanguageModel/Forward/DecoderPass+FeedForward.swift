import CKernels
import LinearAlgebra

extension DecoderPass {
    /// h += attended·Woᵀ + b; x = norm(h); h += f(x·Wᵀ)·Wdᵀ, with biases, gates, and norms or a factor of what is added
    /// where the model has them; side by side x = norm(h) comes first.
    func addAttentionAndFeedForward(_ weights: LayerWeights) {
        let (attended, hidden) = (scratch.attended.columns, scratch.hidden.columns)
        let isParallel = model.block.isParallel
        forEachBlock { rows, block, workers in
            let h = scratch.residual.row(rows.lowerBound)
            func input() -> UnsafePointer<Float> {
                normed(h, rows: rows.count, weights.feedForwardNorm, block: block, workers)
            }

            let gates = scratch.hidden.row(block)
            func computeHidden(_ x: UnsafePointer<Float>) {
                self.computeHidden(x, rows: rows.count, weights, into: gates, workers)
            }

            if isParallel { computeHidden(input()) }
            add(
                scratch.attended.row(rows.lowerBound), width: attended, stride: attended,
                by: weights.matrices.attentionOutput, bias: weights.attentionOutputBias,
                norm: weights.attentionOutputNorm, to: h, rows: rows.count, block: block, workers)
            if !isParallel { computeHidden(input()) }
            add(
                gates, width: model.dFeedForward, stride: hidden, by: weights.matrices.feedForwardOutput,
                bias: weights.feedForwardOutputBias, norm: weights.feedForwardOutputNorm, to: h,
                rows: rows.count, block: block, workers)
        }
    }

    /// h += x·Wᵀ + b, or h += factor · norm(x·Wᵀ + b).
    private func add(
        _ x: UnsafePointer<Float>, width: Int, stride: Int, by matrix: WeightMatrix, bias: UnsafePointer<Float>?,
        norm: LayerWeights.Norm?, to h: UnsafeMutablePointer<Float>, rows: Int, block: Int, _ workers: Workers
    ) {
        let d = model.dModel
        let isDirect = norm == nil && model.residualScale == 1
        let target = isDirect ? h : scratch.added?.row(block) ?? h
        workers.multiply(
            rows: rows, outputs: d, inputs: width, x, stride: stride, byTransposeOf: matrix, into: target, stride: d,
            accumulating: isDirect)
        guard !isDirect || bias != nil else { return }
        workers.forEach(rows, tile: Self.rowTile) { tile, _ in
            let part = target + tile.lowerBound * d
            if let bias { rsae_add_bias(part, Int64(d), Int64(tile.count), Int64(d), bias) }
            guard !isDirect else { return }
            if let norm { apply(norm, part, rows: tile.count, into: part) }
            rsae_add_scaled_rows(
                h + tile.lowerBound * d, Int64(d), Int64(tile.count), Int64(d), part, Int64(d), model.residualScale)
        }
    }

    /// f(x·Wᵀ + b), or its product with the gates' values, in the first `dFeedForward` columns of `hidden`.
    private func computeHidden(
        _ x: UnsafePointer<Float>, rows: Int, _ weights: LayerWeights, into hidden: UnsafeMutablePointer<Float>,
        _ workers: Workers
    ) {
        let (d, width, outputs) = (model.dModel, model.dFeedForward, scratch.hidden.columns)
        let matrix = weights.matrices.feedForwardInput
        // Together, the thread that has computed some columns, gates and values, takes the function of them.
        if workers.isTogether, case .packed(let matrix, let precision) = matrix,
            !model.isGated || width % matrix.panelRows == 0
        {
            return workers.forEachTileOfColumns(rows: rows, columns: width, inner: d) { columns in
                for first in stride(from: columns.lowerBound, to: outputs, by: width) {
                    multiply(
                        rows: rows, x, stride: d, byTransposeOf: matrix, rows: first..<first + columns.count,
                        columns: 0..<d, in: precision, into: hidden + first, stride: outputs)
                }
                activate(hidden, columns, rows: rows, bias: weights.feedForwardInputBias)
            }
        }
        workers.multiply(
            rows: rows, outputs: outputs, inputs: d, x, stride: d, byTransposeOf: matrix, into: hidden,
            stride: outputs)
        workers.forEach(rows, tile: Self.rowTile) { tile, _ in
            activate(
                hidden + tile.lowerBound * outputs, 0..<width, rows: tile.count, bias: weights.feedForwardInputBias)
        }
    }

    /// Adds the bias to some columns of `hidden` and takes the feed-forward layer's function of them, and its gate.
    private func activate(
        _ hidden: UnsafeMutablePointer<Float>, _ columns: Range<Int>, rows: Int, bias: UnsafePointer<Float>?
    ) {
        let (stride, count, width) = (Int64(scratch.hidden.columns), Int64(rows), Int64(columns.count))
        let gates = hidden + columns.lowerBound
        let values = model.isGated ? gates + model.dFeedForward : nil
        if let bias {
            rsae_add_bias(gates, stride, count, width, bias + columns.lowerBound)
            if let values {
                rsae_add_bias(values, stride, count, width, bias + model.dFeedForward + columns.lowerBound)
            }
        }
        if let values, model.activation == .silu { return rsae_swiglu(gates, stride, count, width, values) }
        rsae_activate(gates, stride, count, width, model.activation.kernel)
        if let values { rsae_multiply_rows(gates, stride, count, width, values, stride) }
    }
}
