import CKernels
import LinearAlgebra

extension DecoderPass {
    /// h's queries, keys and values, and for every head what they attend to: `attended`.
    ///
    /// - Parameter kept: where keys and values go, and those of earlier tokens are.
    func attend(_ weights: LayerWeights, layer: DecoderLayer, keeping kept: AttentionMemory) {
        // Of few tokens, together, each thread completes and keeps what it then attends to.
        let isHeadByHead = workers.isTogether && tiles.count == 1 && model.queryKeyNorm != .allHeads
        projectQueriesKeysValues(weights, rotary: layer.rotary, completing: !isHeadByHead)
        if !isHeadByHead {
            // Tiles end at even places of a sequence, so no two write to one pair.
            workers.forEach(tiles: tiles.count) { tile, _ in
                store(tiles[tile], of: 0..<model.keyValueHeads, in: kept)
            }
        }

        let window = layer.window
        // With a single token and a short sequence, calling another thread would take longer.
        let isSmall =
            !workers.isTogether && tiles.count == 1
            && tiles[0].queries * tiles[0].keys(window: window).count * scratch.projected.columns < 1 << 15
        // In order: all heads of a tile, whose rows are adjacent.
        (isSmall ? Workers(threads: 1) : workers).forEach(tiles: tiles.count * model.keyValueHeads) { index, worker in
            let tile = tiles[index / model.keyValueHeads]
            let head = index % model.keyValueHeads
            if isHeadByHead {
                complete(head..<head + 1, from: tile.firstQueryRow, count: tile.queries, weights, rotary: layer.rotary)
                store(tile, of: head..<head + 1, in: kept)
            }
            attend(tile, head: head, to: kept, layer: layer, worker: worker)
        }
    }

    /// x = norm(h); q, k, v = x·Wᵀ.
    private func projectQueriesKeysValues(_ weights: LayerWeights, rotary: Int?, completing completes: Bool) {
        let (d, width) = (model.dModel, scratch.projected.columns)
        forEachBlock { rows, block, workers in
            let h = scratch.residual.row(rows.lowerBound)
            let x = normed(h, rows: rows.count, weights.attentionNorm, block: block, workers)
            workers.multiply(
                rows: rows.count, outputs: width, inputs: d, x, stride: d,
                byTransposeOf: weights.matrices.queriesKeysValues, into: scratch.projected.row(rows.lowerBound),
                stride: width)
            guard completes else { return }
            workers.forEach(rows.count, tile: Self.rowTile) { tile, _ in
                complete(
                    0..<model.keyValueHeads, from: rows.lowerBound + tile.lowerBound, count: tile.count, weights,
                    rotary: rotary)
            }
        }
    }

    /// Completes what the product left in some rows of `projected`, of some key heads and the query heads that share them:
    /// adds biases, limits, and normalises and rotates queries and keys (RoPE).
    ///
    /// - Parameter heads: all of them where a norm is over all heads.
    private func complete(_ heads: Range<Int>, from row: Int, count: Int, _ weights: LayerWeights, rotary: Int?) {
        let (dimension, group) = (model.headDimension, model.queryHeads / model.keyValueHeads)
        let (first, stride) = (scratch.projected.row(row), scratch.projected.columns)
        func adjust(_ place: Int, _ width: Int) {
            if let bias = weights.queriesKeysValuesBias {
                rsae_add_bias(first + place, Int64(stride), Int64(count), Int64(width), bias + place)
            }
            guard let limit = model.projectionLimit else { return }
            for row in 0..<count {
                for element in row * stride + place..<row * stride + place + width {
                    first[element] = min(max(first[element], -limit), limit)
                }
            }
        }

        let queries = heads.lowerBound * group * dimension
        let keys = (model.queryHeads + heads.lowerBound) * dimension
        adjust(queries, heads.count * group * dimension)
        adjust(keys, heads.count * dimension)
        adjust(keys + model.keyValueHeads * dimension, heads.count * dimension)
        turn(first + queries, heads: heads.count * group, weights.queryNorm, rotary: rotary, place: row, count: count)
        turn(first + keys, heads: heads.count, weights.keyNorm, rotary: rotary, place: row, count: count)
    }

    /// Rotates the heads that begin at `rows` in each of `count` rows of `projected`, the first of which is that of the
    /// token at `place` (RoPE), and normalises them before where the model does.
    private func turn(
        _ rows: UnsafeMutablePointer<Float>, heads: Int, _ norm: UnsafePointer<Float>?, rotary: Int?, place: Int,
        count: Int
    ) {
        let stride = Int64(scratch.projected.columns)
        var norm = norm
        if model.queryKeyNorm == .allHeads, let all = norm {
            let width = Int64(heads * model.headDimension)
            rsae_rms_norm(rows, stride, Int64(count), width, all, model.normEpsilon, rows, stride)
            norm = nil
        }
        guard let rotary else {
            guard norm != nil else { return }
            rsae_rotate(
                rows, stride, Int64(count), Int64(heads), Int64(model.headDimension), 0, norm, model.normEpsilon, nil,
                nil, nil)
            return
        }
        let table = scratch.rotaries[rotary]
        rotaryRows[rotary].withUnsafeBufferPointer { tableRows in
            guard let first = tableRows.baseAddress else { return }
            rsae_rotate(
                rows, stride, Int64(count), Int64(heads), Int64(model.headDimension),
                Int64(model.rotaries[rotary].dimension), norm, model.normEpsilon, first + place,
                table.cosine.pointer, table.sine.pointer)
        }
    }

    /// Puts keys and values of some key heads where attention reads them.
    private func store(_ tile: AttentionTile, of heads: Range<Int>, in memory: AttentionMemory) {
        memory.store(
            tile.queries, of: heads, from: tile.firstKeySlot + tile.firstQuery,
            scratch.projected.row(tile.firstQueryRow) + model.queryHeads * model.headDimension,
            stride: scratch.projected.columns)
    }

    /// For the query heads that share a key head: softmax(scale · q·kᵀ)·v over the visible keys, the scores capped where
    /// the model does. Keys come in blocks whose scores stay in the cache; the softmax runs along (`rsae_causal_softmax`).
    private func attend(_ tile: AttentionTile, head: Int, to memory: AttentionMemory, layer: DecoderLayer, worker: Int)
    {
        let window = layer.window
        let headDimension = model.headDimension
        let group = model.queryHeads / model.keyValueHeads
        let width = scratch.projected.columns
        let tileRows = scratch.tileQueries * group
        let keys = tile.keys(window: window)
        let rows = tile.queries * group

        // The queries of all heads that share this key head, gathered so that one product scores them all.
        let queries = scratch.queries.row(worker * tileRows)
        let firstQuery = scratch.projected.row(tile.firstQueryRow) + head * group * headDimension
        for query in 0..<tile.queries {
            (queries + query * group * headDimension).update(
                from: firstQuery + query * width, count: group * headDimension)
        }
        let (keyPanels, valuePanels) = (memory.keys[head], memory.values[head])
        var scale = layer.scoreScale
        if keyPanels.isHalved {
            for place in 0..<rows * headDimension { queries[place] *= scale }
            scale = 1
        }

        let scores = scratch.scores.row(worker)
        let (largest, sums) = (scratch.largest.row(worker), scratch.sums.row(worker))
        let mixed = scratch.mixed.row(worker * tileRows)
        AttentionTile.forEachBlock(of: keys) { block in
            let slots = tile.firstKeySlot + block.lowerBound..<tile.firstKeySlot + block.upperBound
            let stride = (block.count + 15) / 16 * 16
            multiply(
                rows: rows, alpha: scale, queries, stride: headDimension, byTransposeOf: keyPanels, rows: slots,
                columns: 0..<headDimension, into: scores, stride: stride)
            if let cap = model.scoreCap {
                rsae_soft_cap(scores, Int64(stride), Int64(rows), Int64(block.count), cap)
            }
            let isFirst = block.lowerBound == keys.lowerBound
            rsae_causal_softmax(
                scores, Int64(stride), Int64(tile.queries), Int64(group), Int64(block.count),
                Int64(tile.firstQuery - block.lowerBound), Int64(window ?? Int(Int32.max)), isFirst, largest, sums,
                mixed, Int64(headDimension))
            multiply(
                rows: rows, scores, stride: stride, byTransposeOf: valuePanels, rows: 0..<headDimension,
                columns: slots, startingAt: block.lowerBound, accumulating: !isFirst, into: mixed,
                stride: headDimension)
        }
        rsae_divide_heads(
            mixed, Int64(tile.queries), Int64(group), Int64(headDimension), sums,
            scratch.attended.row(tile.firstQueryRow) + head * group * headDimension,
            Int64(scratch.attended.columns))
    }
}
