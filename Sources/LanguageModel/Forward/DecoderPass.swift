import CKernels
import LinearAlgebra

/// The pass of one batch through the decoder layers, whatever the family: the configuration says which norms, biases,
/// positions and factors there are (the steps are those of transformers' `modeling_llama.py` and its like).
///
/// Only attention mixes tokens, and only within a sequence; everything else is row by row, in blocks
/// that one worker takes through all its steps while they stay in its cache. Every sum has a fixed order whatever the
/// blocks and tiles, so a token's bits depend only on the tokens before it in its sequence.
struct DecoderPass {
    let model: LanguageModelConfiguration
    private(set) var workers: Workers
    let scratch: ForwardScratch

    private let tiles: [AttentionTile]
    /// The position in its sequence of every token.
    let positions: [Int32]
    /// For each rotary embedding the row of its table for every token.
    private let rotaryRows: [[Int32]]

    /// The residual stream, `[tokens × dModel]`.
    var residual: Matrix { scratch.residual }

    /// A pass over whole sequences.
    init(model: LanguageModelConfiguration, batch: TokenBatch, workers: Workers, scratch: ForwardScratch) {
        self.model = model
        self.workers = workers
        self.scratch = scratch
        let slots: Int
        (tiles, slots) = AttentionTile.tiles(of: batch, queries: scratch.tileQueries)
        scratch.reserveMemory(slots: slots)
        let lengths = (0..<batch.sequenceCount).map { batch.range(ofSequence: $0).count }
        positions = lengths.flatMap { 0..<Int32($0) }
        rotaryRows = scratch.rotaries.indices.map { rotary in
            scratch.rotaries[rotary].cover(lengths: lengths, positions: scratch.positions)
            return lengths.flatMap { length in
                let first = Int32(scratch.rotaries[rotary].firstRow(tokens: length))
                return first..<first + Int32(length)
            }
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
        let positions = Int32(past)..<Int32(past + tokens)
        self.positions = Array(positions)
        rotaryRows = scratch.rotaries.indices.map { rotary in
            scratch.rotaries[rotary].cover(lengths: [past + tokens], positions: scratch.positions)
            let first = Int32(scratch.rotaries[rotary].firstRow(tokens: past + tokens))
            return positions.map { first + $0 }
        }
    }

    /// Runs the residual stream through one layer.
    func run(_ weights: LayerWeights, layer: DecoderLayer) {
        guard let memory = scratch.memory else { preconditionFailure("a pass over whole sequences has room for keys") }
        run(weights, layer: layer, keeping: memory)
    }

    /// Runs the residual stream of tokens that continue a sequence through some layers, one after another, and adds to their
    /// KV caches. Of few tokens a layer's loops are so short that the threads stay together for all of them.
    func run(_ layers: some Sequence<(weights: LayerWeights, layer: DecoderLayer, kept: AttentionMemory)>) {
        guard scratch.isSmall else {
            for one in layers { run(one.weights, layer: one.layer, keeping: one.kept) }
            return
        }
        workers.together { workers in
            var part = self
            part.workers = workers
            for one in layers { part.run(one.weights, layer: one.layer, keeping: one.kept) }
        }
    }

    /// The same through one layer.
    ///
    /// - Parameter kept: the layer's KV cache.
    private func run(_ weights: LayerWeights, layer: DecoderLayer, keeping kept: AttentionMemory) {
        projectQueriesKeysValues(weights, rotary: layer.rotary)
        store(in: kept)
        attend(to: kept, layer: layer)
        addAttentionAndFeedForward(weights)
    }

    /// x = norm(h); q, k, v = x·Wᵀ + b; q and k normalised where the model does, and rotated by their positions (RoPE).
    private func projectQueriesKeysValues(_ weights: LayerWeights, rotary: Int?) {
        let (d, width) = (model.dModel, scratch.projected.columns)
        forEachBlock { rows, block, workers in
            let h = scratch.residual.row(rows.lowerBound)
            let x = normed(h, rows: rows.count, weights[\.attentionNorm], block: block, workers)
            let projected = scratch.projected.row(rows.lowerBound)
            workers.multiply(
                rows: rows.count, outputs: width, inputs: d, x, stride: d,
                byTransposeOf: weights.matrices.queriesKeysValues, into: projected, stride: width)
            workers.forEach(rows.count, tile: Self.rowTile) { tile, _ in
                let first = projected + tile.lowerBound * width
                if let bias = weights[\.queriesKeysValuesBias] {
                    rsae_add_bias(first, Int64(width), Int64(tile.count), Int64(width), bias)
                }

                if let limit = model.projectionLimit {
                    for place in 0..<tile.count * width { first[place] = min(max(first[place], -limit), limit) }
                }

                let place = rows.lowerBound + tile.lowerBound
                turn(
                    first, heads: model.queryHeads, weights[\.queryNorm], rotary: rotary, place: place,
                    count: tile.count)
                turn(
                    first + model.queryHeads * model.headDimension, heads: model.keyValueHeads, weights[\.keyNorm],
                    rotary: rotary, place: place, count: tile.count)
            }
        }
    }

    /// Puts keys and values where attention reads them.
    private func store(in memory: AttentionMemory) {
        let queries = model.queryHeads * model.headDimension
        // Tiles end at even places of a sequence, so no two write to one pair.
        workers.forEach(tiles: tiles.count) { index, _ in
            let tile = tiles[index]
            memory.store(
                tile.queries, from: tile.firstKeySlot + tile.firstQuery,
                scratch.projected.row(tile.firstQueryRow) + queries, stride: scratch.projected.columns)
        }
    }

    /// For every head: softmax(scale · q·kᵀ)·v over the visible keys, the scores capped where the model does. Keys come in
    /// blocks whose scores stay in the cache; the softmax runs along (`rsae_causal_softmax`).
    private func attend(to memory: AttentionMemory, layer: DecoderLayer) {
        let window = layer.window
        let headDimension = model.headDimension
        let group = model.queryHeads / model.keyValueHeads
        let width = scratch.projected.columns
        let tileRows = scratch.tileQueries * group
        // With a single token and a short sequence, calling another thread would take longer.
        let isSmall =
            !workers.isTogether && tiles.count == 1
            && tiles[0].queries * tiles[0].keys(window: window).count * width < 1 << 15
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

    /// h += attended·Woᵀ + b; x = norm(h); h += f(x·Wᵀ)·Wdᵀ, with biases, gates, and norms or a factor of what is added
    /// where the model has them; side by side x = norm(h) comes first.
    private func addAttentionAndFeedForward(_ weights: LayerWeights) {
        let (d, attended, hidden) = (model.dModel, scratch.attended.columns, scratch.hidden.columns)
        let isParallel = model.block.isParallel
        forEachBlock { rows, block, workers in
            let h = scratch.residual.row(rows.lowerBound)
            func input() -> UnsafePointer<Float> {
                normed(h, rows: rows.count, weights[\.feedForwardNorm], block: block, workers)
            }

            let gates = scratch.hidden.row(block)
            func computeHidden(_ x: UnsafePointer<Float>) {
                workers.multiply(
                    rows: rows.count, outputs: hidden, inputs: d, x, stride: d,
                    byTransposeOf: weights.matrices.feedForwardInput, into: gates, stride: hidden)
                workers.forEach(rows.count, tile: Self.rowTile) { tile, _ in
                    let first = gates + tile.lowerBound * hidden
                    if let bias = weights[\.feedForwardInputBias] {
                        rsae_add_bias(first, Int64(hidden), Int64(tile.count), Int64(hidden), bias)
                    }
                    activate(first, count: tile.count)
                }
            }

            if isParallel { computeHidden(input()) }
            add(
                scratch.attended.row(rows.lowerBound), width: attended, stride: attended,
                by: weights.matrices.attentionOutput, bias: weights[\.attentionOutputBias],
                norm: weights[\.attentionOutputNorm], to: h, rows: rows.count, block: block, workers)
            if !isParallel { computeHidden(input()) }
            add(
                gates, width: model.dFeedForward, stride: hidden, by: weights.matrices.feedForwardOutput,
                bias: weights[\.feedForwardOutputBias], norm: weights[\.feedForwardOutputNorm], to: h,
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

    /// The feed-forward layer's function of rows of `hidden`, and its gate.
    private func activate(_ rows: UnsafeMutablePointer<Float>, count: Int) {
        let (stride, width) = (Int64(scratch.hidden.columns), Int64(model.dFeedForward))
        if model.isGated, model.activation == .silu { return rsae_swiglu(rows, stride, Int64(count), width) }
        rsae_activate(rows, stride, Int64(count), width, model.activation.kernel)
        if model.isGated { rsae_multiply_rows(rows, stride, Int64(count), width, rows + Int(width), stride) }
    }

    /// Rows of a step between two products that are shared out at a time.
    private static let rowTile = 32

    /// The rows themselves where there is no norm, otherwise the block's scratch space with the norm of them.
    private func normed(
        _ rows: UnsafePointer<Float>, rows count: Int, _ norm: LayerWeights.Norm?, block: Int, _ workers: Workers
    ) -> UnsafePointer<Float> {
        guard let norm else { return rows }
        let d = model.dModel
        if workers.isTogether {
            // Every thread does it, since waiting for one that does would take as long.
            let target = scratch.normed.row(workers.own * count)
            apply(norm, rows, rows: count, into: target)
            return UnsafePointer(target)
        }
        let target = scratch.normed.row(block)
        workers.forEach(count, tile: Self.rowTile) { tile, _ in
            apply(norm, rows + tile.lowerBound * d, rows: tile.count, into: target + tile.lowerBound * d)
        }
        return UnsafePointer(target)
    }

    private func apply(
        _ norm: LayerWeights.Norm, _ rows: UnsafePointer<Float>, rows count: Int,
        into target: UnsafeMutablePointer<Float>
    ) {
        model.norm.apply(
            rows, rows: count, width: model.dModel, weight: norm.weight, bias: norm.bias,
            epsilon: model.normEpsilon, into: target)
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

    /// Runs `body(rows, firstScratchRow, workers)` over the tokens: one block for each worker at a time while there are
    /// blocks enough, otherwise all tokens at once, with the workers sharing out each step.
    private func forEachBlock(_ body: (_ rows: Range<Int>, _ block: Int, _ workers: Workers) -> Void) {
        let tokens = scratch.tokens
        let blocks = (tokens + scratch.rowBlock - 1) / scratch.rowBlock
        guard blocks >= workers.count else {
            body(0..<tokens, 0, workers)
            return
        }

        let alone = Workers(threads: 1)
        workers.forEach(tokens, tile: scratch.rowBlock) { rows, worker in
            body(rows, worker * scratch.rowBlock, alone)
        }
    }
}
