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

    let tiles: [AttentionTile]
    /// The position in its sequence of every token.
    let positions: [Int32]
    /// For each rotary embedding the row of its table for every token.
    let rotaryRows: [[Int32]]

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
    func run(_ steps: some Collection<LayerStep>) {
        guard scratch.isSmall else {
            for step in steps { run(step.weights, layer: step.layer, keeping: step.kept) }
            return
        }
        workers.together { workers in
            var part = self
            part.workers = workers
            for step in steps { part.run(step.weights, layer: step.layer, keeping: step.kept) }
        }
    }

    /// The same through one layer.
    ///
    /// - Parameter kept: the layer's KV cache.
    private func run(_ weights: LayerWeights, layer: DecoderLayer, keeping kept: AttentionMemory) {
        attend(weights, layer: layer, keeping: kept)
        addAttentionAndFeedForward(weights)
    }

    /// Rows of a step between two products that are shared out at a time.
    static let rowTile = 32

    /// The rows themselves where there is no norm, otherwise the block's scratch space with the norm of them.
    func normed(
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

    func apply(
        _ norm: LayerWeights.Norm, _ rows: UnsafePointer<Float>, rows count: Int,
        into target: UnsafeMutablePointer<Float>
    ) {
        model.norm.apply(
            rows, rows: count, width: model.dModel, weight: norm.weight, bias: norm.bias,
            epsilon: model.normEpsilon, into: target)
    }

    /// Runs `body(rows, firstScratchRow, workers)` over the tokens: one block for each worker at a time while there are
    /// blocks enough, otherwise all tokens at once, with the workers sharing out each step.
    func forEachBlock(_ body: (_ rows: Range<Int>, _ block: Int, _ workers: Workers) -> Void) {
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
