import LinearAlgebra

/// Buffers of one pass, reused for the next pass over a batch of the same size.
///
/// Used by one pass at a time.
final class ForwardScratch: @unchecked Sendable {
    /// Rows of a block that one worker takes through several steps while it stays in the cache: more where weights are
    /// read from the file, since products pack them anew for every block.
    let rowBlock: Int

    let tokens: Int
    /// Whether there are so few tokens that the loops of a layer take some microseconds each.
    let isSmall: Bool
    /// The longest sequence that there is room for.
    let positions: Int
    /// Queries of an attention tile; an even number.
    let tileQueries: Int

    /// The residual stream, `[tokens × dModel]`.
    let residual: Matrix
    /// Queries, keys and values, `[tokens × (queryHeads + 2 · keyValueHeads) · headDimension]`.
    let projected: Matrix
    /// Attention output, `[tokens × queryHeads · headDimension]`.
    let attended: Matrix

    /// For each worker a block of normalised rows, `[rowBlock × dModel]`; of few tokens for each all rows.
    let normed: Matrix
    /// For each worker a block of gates and values, `[rowBlock × 2 · dFeedForward]`; without gates of values alone.
    let hidden: Matrix
    /// For each worker a block of what a layer's part adds to the residual stream, `[rowBlock × dModel]`, where that goes
    /// through a norm or a factor first.
    let added: Matrix?

    /// For each worker the queries of a tile, `[tileQueries · group × headDimension]`, where `group` is the number of
    /// query heads that share a key head; the heads of a query lie next to each other.
    let queries: Matrix
    /// For each worker a row of `[tileQueries · group × keys of a block]` scores.
    let scores: Matrix
    /// For each worker the sums of values weighted by their scores, shaped as `queries`.
    let mixed: Matrix
    /// For each worker the largest score so far and the softmax's denominator, each `[tileQueries · group]`.
    let largest: Matrix
    let sums: Matrix

    /// The keys and values of a pass over whole sequences, of one layer after another.
    private(set) var memory: AttentionMemory?
    private let model: LanguageModelConfiguration
    private let precision: Precision

    /// The tables of the model's rotary embeddings.
    var rotaries: [RotaryTable]

    /// The weights of one layer, where they are not in memory.
    var layerBuffer: LayerScratch?

    init(
        model: LanguageModelConfiguration, tokens: Int, positions: Int, precision: Precision,
        residency: WeightResidency, workers: Int
    ) {
        self.model = model
        self.precision = precision
        self.tokens = tokens
        isSmall = tokens <= 8
        self.positions = positions
        let group = model.queryHeads / model.keyValueHeads
        tileQueries = min(max(8, min(64, 256 / group) / 8 * 8), (max(tokens, 1) + 7) / 8 * 8)
        residual = Matrix(rows: tokens, columns: model.dModel)
        projected = Matrix(
            rows: tokens, columns: (model.queryHeads + 2 * model.keyValueHeads) * model.headDimension)
        attended = Matrix(rows: tokens, columns: model.queryHeads * model.headDimension)
        rowBlock = residency == .resident ? 256 : 512
        // Few rows are one block, which all workers share.
        let blockRows = tokens <= rowBlock * (workers - 1) ? tokens : min(tokens, rowBlock) * workers
        normed = Matrix(rows: isSmall ? tokens * workers : blockRows, columns: model.dModel)
        hidden = Matrix(rows: blockRows, columns: (model.isGated ? 2 : 1) * model.dFeedForward)
        let block = model.block
        let isChanged = block.normsAttentionOutput || block.normsFeedForwardOutput || model.residualScale != 1
        added = isChanged ? Matrix(rows: blockRows, columns: model.dModel) : nil
        let tileRows = tileQueries * group
        queries = Matrix(rows: workers * tileRows, columns: model.headDimension)
        // Rows of scores are rounded up to whole vectors.
        scores = Matrix(rows: workers, columns: tileRows * min((positions + 15) / 16 * 16, AttentionTile.keyBlock))
        mixed = Matrix(rows: workers * tileRows, columns: model.headDimension)
        largest = Matrix(rows: workers, columns: tileRows)
        sums = Matrix(rows: workers, columns: tileRows)
        rotaries = model.rotaries.map(RotaryTable.init)
    }

    /// Makes room for the keys and values of a pass over whole sequences.
    func reserveMemory(slots: Int) {
        if let memory, memory.slots >= slots { return }
        memory = AttentionMemory(model: model, slots: slots, precision: precision)
    }
}
