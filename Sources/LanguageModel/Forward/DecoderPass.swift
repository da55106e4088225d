import CKernels
import LinearAlgebra

/// The pass of one batch through the decoder layers (Touvron et al. 2023, arXiv 2302.13971, §2; the steps are those of
/// transformers' `modeling_llama.py`).
///
/// Only attention mixes tokens, and only within a sequence; everything else is row by row, in blocks
/// that one worker takes through all its steps while they stay in its cache. Every sum has a fixed order whatever the
/// blocks and tiles, so a token's bits depend only on the tokens before it in its sequence.
struct DecoderPass {
    let model: LanguageModelConfiguration
    let workers: Workers
    let scratch: ForwardScratch

    private let tiles: [AttentionTile]
    /// The position in its sequence of every token.
    private let positions: [Int32]

    /// The residual stream, `[tokens × dModel]`.
    var residual: Matrix { scratch.residual }

    /// The keys and values that attention reads.
    private struct Memory {
        let keys: UnsafePointer<Float>
        let values: UnsafePointer<Float>
        /// Elements from one token to the next.
        let stride: Int
    }

    /// A pass over whole sequences.
    init(model: LanguageModelConfiguration, batch: TokenBatch, workers: Workers, scratch: ForwardScratch) {
        self.model = model
        self.workers = workers
        self.scratch = scratch
        tiles = AttentionTile.tiles(of: batch, queries: scratch.tileQueries)
        positions = (0..<batch.sequenceCount).flatMap { index in
            0..<Int32(batch.range(ofSequence: index).count)
        }
    }

    /// A pass over tokens that continue a sequence of `past` tokens with a KV cache.
    init(
        model: LanguageModelConfiguration, continuing past: Int, by tokens: Int, workers: Workers,
        scratch: ForwardScratch
    ) {
        self.model = model
        self.workers = workers
        self.scratch = scratch
        tiles = AttentionTile.tiles(continuing: past, by: tokens, queries: scratch.tileQueries)
        positions = Array(Int32(past)..<Int32(past + tokens))
    }

    /// Runs the residual stream through one layer.
    func run(_ weights: LayerWeights, window: Int?) {
        projectQueriesKeysValues(weights)
        let keys = scratch.projected.pointer + model.queryHeads * model.headDimension
        attend(
            to: Memory(
                keys: keys, values: keys + model.keyValueHeads * model.headDimension,
                stride: scratch.projected.columns),
            window: window)
        addAttentionAndFeedForward(weights)
    }

    /// Runs the residual stream of tokens that continue a sequence through one layer, and adds to the KV cache.
    ///
    /// - Parameter kept: the layer's KV cache, `[positions × 2 · keyValueHeads · headDimension]`: for each token
    ///   of the sequence its keys, then its values.
    func run(_ weights: LayerWeights, window: Int?, keeping kept: Matrix) {
        projectQueriesKeysValues(weights)
        let queries = model.queryHeads * model.headDimension
        for (row, position) in positions.enumerated() {
            kept.row(Int(position)).update(from: scratch.projected.row(row) + queries, count: kept.columns)
        }
        attend(
            to: Memory(
                keys: kept.pointer, values: kept.pointer + model.keyValueHeads * model.headDimension,
                stride: kept.columns),
            window: window)
        addAttentionAndFeedForward(weights)
    }

    /// x = norm(h); q, k, v = x·Wᵀ + b; q and k rotated by their positions (RoPE).
    private func projectQueriesKeysValues(_ weights: LayerWeights) {
        let (d, width) = (model.dModel, scratch.projected.columns)
        forEachBlock { rows, block, workers in
            let x = scratch.normed.row(block)
            norm(scratch.residual.row(rows.lowerBound), rows: rows.count, weights[\.attentionNorm], into: x, workers)
            let projected = scratch.projected.row(rows.lowerBound)
            workers.multiply(
                rows: rows.count, outputs: width, inputs: d, x, stride: d,
                byTransposeOf: weights.queriesKeysValues, into: projected, stride: width)
            workers.forEach(rows.count, tile: Self.rowTile) { tile, _ in
                let first = projected + tile.lowerBound * width
                if let bias = weights[\.queriesKeysValuesBias] {
                    rsae_add_bias(first, Int64(width), Int64(tile.count), Int64(width), bias)
                }

                let place = rows.lowerBound + tile.lowerBound
                turn(first, heads: model.queryHeads, weights[\.queryNorm], place: place, count: tile.count)
                turn(
                    first + model.queryHeads * model.headDimension, heads: model.keyValueHeads, weights[\.keyNorm],
                    place: place, count: tile.count)
            }
        }
    }

    /// For every head: softmax(q·kᵀ / √headDimension)·v over the visible keys.
    private func attend(to memory: Memory, window: Int?) {
        let headDimension = model.headDimension
        let group = model.queryHeads / model.keyValueHeads
        let width = scratch.projected.columns
        let tileRows = scratch.tileQueries * group
        // With a single token and a short sequence, waking threads would take longer.
        let isSmall =
            tiles.count == 1 && tiles[0].queries * tiles[0].keys(window: window).count * width < 65_536
        // In order: all heads of a tile, whose rows are adjacent.
        (isSmall ? Workers(threads: 1) : workers).forEach(tiles: tiles.count * model.keyValueHeads) { index, worker in
            let tile = tiles[index / model.keyValueHeads]
            let head = index % model.keyValueHeads
            let keys = tile.keys(window: window)
            let rows = tile.queries * group

            // The queries of all heads that share this key head, gathered so that one product scores them all.
            let queries = scratch.queries.row(worker * tileRows)
            let firstQuery = scratch.projected.row(tile.firstQueryRow) + head * group * headDimension
            for query in 0..<tile.queries {
                (queries + query * group * headDimension).update(
                    from: firstQuery + query * width, count: group * headDimension)
            }

            let firstKey = (tile.firstKeyRow + keys.lowerBound) * memory.stride + head * headDimension
            let (key, value) = (memory.keys + firstKey, memory.values + firstKey)

            let scores = scratch.scores.row(worker)
            let stride = (keys.count + 15) / 16 * 16
            multiply(
                rows: rows, columns: keys.count, inner: headDimension, alpha: 1 / Float(headDimension).squareRoot(),
                queries, stride: headDimension, key, stride: memory.stride, transposeB: true, into: scores,
                stride: stride)
            let inverseSums = scratch.inverseSums.row(worker)
            rsae_causal_softmax(
                scores, Int64(stride), Int64(tile.queries), Int64(group), Int64(keys.count),
                Int64(tile.firstQuery - keys.lowerBound), Int64(window ?? Int(Int32.max)), inverseSums)
            let sums = scratch.sums.row(worker * tileRows)
            multiply(
                rows: rows, columns: headDimension, inner: keys.count, innerStart: keys.lowerBound, scores,
                stride: stride, value,
                stride: memory.stride, into: sums, stride: headDimension)
            rsae_scale_heads(
                sums, Int64(tile.queries), Int64(group), Int64(headDimension), inverseSums,
                scratch.attended.row(tile.firstQueryRow) + head * group * headDimension,
                Int64(scratch.attended.columns))
        }
    }

    /// h += attended·Woᵀ + b; x = norm(h); h += (silu(x·Wgᵀ) ⊙ x·Wvᵀ)·Wdᵀ (with biases where the model has them).
    private func addAttentionAndFeedForward(_ weights: LayerWeights) {
        let (d, attended, hidden) = (model.dModel, scratch.attended.columns, scratch.hidden.columns)
        forEachBlock { rows, block, workers in
            let h = scratch.residual.row(rows.lowerBound)
            workers.multiply(
                rows: rows.count, outputs: d, inputs: attended, scratch.attended.row(rows.lowerBound),
                stride: attended, byTransposeOf: weights.attentionOutput, into: h, stride: d, accumulating: true)
            if let bias = weights[\.attentionOutputBias] {
                rsae_add_bias(h, Int64(d), Int64(rows.count), Int64(d), bias)
            }

            let x = scratch.normed.row(block)
            norm(h, rows: rows.count, weights[\.feedForwardNorm], into: x, workers)
            let gates = scratch.hidden.row(block)
            workers.multiply(
                rows: rows.count, outputs: hidden, inputs: d, x, stride: d,
                byTransposeOf: weights.gateAndValue, into: gates, stride: hidden)
            workers.forEach(rows.count, tile: Self.rowTile) { tile, _ in
                let first = gates + tile.lowerBound * hidden
                if let bias = weights[\.gateAndValueBias] {
                    rsae_add_bias(first, Int64(hidden), Int64(tile.count), Int64(hidden), bias)
                }
                rsae_swiglu(first, Int64(hidden), Int64(tile.count), Int64(model.dFeedForward))
            }
            workers.multiply(
                rows: rows.count, outputs: d, inputs: model.dFeedForward, gates, stride: hidden,
                byTransposeOf: weights.feedForwardOutput, into: h, stride: d, accumulating: true)
            if let bias = weights[\.feedForwardOutputBias] {
                rsae_add_bias(h, Int64(d), Int64(rows.count), Int64(d), bias)
            }
        }
    }

    /// Rows of a step between two products that are shared out at a time.
    private static let rowTile = 32

    private func norm(
        _ rows: UnsafePointer<Float>, rows count: Int, _ weight: UnsafePointer<Float>,
        into target: UnsafeMutablePointer<Float>, _ workers: Workers
    ) {
        let d = model.dModel
        workers.forEach(count, tile: Self.rowTile) { tile, _ in
            rsae_rms_norm(
                rows + tile.lowerBound * d, Int64(d), Int64(tile.count), Int64(d), weight, model.normEpsilon,
                target + tile.lowerBound * d, Int64(d))
        }
    }

    /// Rotates the heads that begin at `rows` in each of `count` rows of `projected`, the first of which is that of the
    /// token at `place` (RoPE).
    private func turn(
        _ rows: UnsafeMutablePointer<Float>, heads: Int, _ norm: UnsafePointer<Float>?, place: Int, count: Int
    ) {
        positions.withUnsafeBufferPointer { positions in
            guard let first = positions.baseAddress else { return }
            rsae_rotate(
                rows, Int64(scratch.projected.columns), Int64(count), Int64(heads), Int64(model.headDimension), norm,
                model.normEpsilon, first + place, scratch.cosine.pointer, scratch.sine.pointer)
        }
    }

    /// Runs `body(rows, firstScratchRow, workers)` over the tokens: one block for each worker at a time while there are
    /// blocks enough, otherwise all tokens at once, with the workers sharing out each step.
    private func forEachBlock(_ body: (_ rows: Range<Int>, _ block: Int, _ workers: Workers) -> Void) {
        let tokens = scratch.tokens
        let blocks = (tokens + ForwardScratch.rowBlock - 1) / ForwardScratch.rowBlock
        guard blocks >= workers.count else {
            body(0..<tokens, 0, workers)
            return
        }

        let alone = Workers(threads: 1)
        workers.forEach(tokens, tile: ForwardScratch.rowBlock) { rows, worker in
            body(rows, worker * ForwardScratch.rowBlock, alone)
        }
    }
}
