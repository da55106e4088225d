/// The layout of one decoder layer's weights in a buffer of fp32 elements, with their names in a checkpoint.
///
/// Weights applied to the same input are adjacent, so that one product computes them all: the rows
/// of queries, keys and values, and the rows of gate and value of the feed-forward layer.
struct LayerLayout: Sendable {
    /// One tensor of the checkpoint.
    struct Entry: Sendable {
        /// The name behind the layer's number.
        let name: String
        /// As in the checkpoint, row-major.
        let shape: [Int]
        /// How it lies in the checkpoint.
        let arrangement: TensorArrangement
        /// What is added to each element: 1 for the weights of norms that multiply by 1 + w.
        let addend: Float
        /// The offset of the first element in the buffer.
        let offset: Int

        var count: Int { shape.reduce(1, *) }
    }

    /// The offsets of a norm's weight and bias, each `[width]`; nil where it has none.
    struct Norm: Sendable {
        let weight: Int?
        let bias: Int?
    }

    /// Every tensor of a layer: norms and biases, then the matrices.
    let entries: [Entry]
    /// The size of the buffer in elements.
    let count: Int
    /// The size of the part of it that comes before the matrices.
    let vectorCount: Int

    /// Nil where the part reads the residual stream as it is.
    let attentionNorm: Norm?
    /// Nil where the result is added as it is.
    let attentionOutputNorm: Norm?
    /// `[(queryHeads + 2 · keyValueHeads) · headDimension × dModel]`: queries, then keys, then values
    let queriesKeysValues: Int
    /// `[(queryHeads + 2 · keyValueHeads) · headDimension]`
    let queriesKeysValuesBias: Int?
    /// `[headDimension]`, or `[queryHeads · headDimension]`
    let queryNorm: Int?
    /// `[headDimension]`, or `[keyValueHeads · headDimension]`
    let keyNorm: Int?
    /// `[dModel × queryHeads · headDimension]`
    let attentionOutput: Int
    /// `[dModel]`
    let attentionOutputBias: Int?
    /// Nil where the part reads the residual stream as it is; may be that of attention.
    let feedForwardNorm: Norm?
    /// Nil where the result is added as it is.
    let feedForwardOutputNorm: Norm?
    /// `[2 · dFeedForward × dModel]`: gate, then value; without a gate `[dFeedForward × dModel]`
    let feedForwardInput: Int
    /// As many as `feedForwardInput` has rows
    let feedForwardInputBias: Int?
    /// `[dModel × dFeedForward]`
    let feedForwardOutput: Int
    /// `[dModel]`
    let feedForwardOutputBias: Int?

    /// Lays out a layer of the model.
    init(_ model: LanguageModelConfiguration) {
        let names = TensorNames(model)
        let block = model.block
        var plan = Plan(model: model)
        let (d, queries) = (model.dModel, model.queryHeads * model.headDimension)
        let keys = model.keyValueHeads * model.headDimension
        let isPerHead = model.queryKeyNorm == .eachHead

        attentionNorm = block.normsAttentionInput ? plan.placeNorm(names.attentionNorm) : nil
        queriesKeysValuesBias =
            model.biasesQueriesKeysValues
            ? plan.placeProjections(names, queries: queries, keys: keys, isBias: true) : nil
        let hasNorms = model.queryKeyNorm != .none
        queryNorm =
            hasNorms ? plan.placeNormWeight(names.queryNorm, width: isPerHead ? model.headDimension : queries) : nil
        keyNorm = hasNorms ? plan.placeNormWeight(names.keyNorm, width: isPerHead ? model.headDimension : keys) : nil
        attentionOutputBias = model.biasesAttentionOutput ? plan.placeBias(names.attentionOutput, d) : nil
        attentionOutputNorm = block.normsAttentionOutput ? plan.placeNorm(names.attentionOutputNorm) : nil
        feedForwardNorm =
            block.sharesInputNorm
            ? attentionNorm : block.normsFeedForwardInput ? plan.placeNorm(names.feedForwardNorm) : nil
        feedForwardInputBias = model.biasesFeedForward ? plan.placeFeedForwardInput(names, isBias: true) : nil
        feedForwardOutputBias = model.biasesFeedForward ? plan.placeBias(names.feedForwardOutput, d) : nil
        feedForwardOutputNorm = block.normsFeedForwardOutput ? plan.placeNorm(names.feedForwardOutputNorm) : nil
        vectorCount = plan.count

        queriesKeysValues = plan.placeProjections(names, queries: queries, keys: keys, isBias: false)
        attentionOutput = plan.placeMatrix(names.attentionOutput, [d, queries], names.matrices)
        feedForwardInput = plan.placeFeedForwardInput(names, isBias: false)
        feedForwardOutput = plan.placeMatrix(names.feedForwardOutput, [d, model.dFeedForward], names.matrices)
        entries = plan.entries
        count = plan.count
    }

    /// The tensors of a matrix, in the order of their rows.
    func entries(at offset: Int, count: Int) -> [Entry] {
        entries.filter { (offset..<offset + count).contains($0.offset) }
    }
}

/// A layout while it is made.
private struct Plan {
    let model: LanguageModelConfiguration
    var entries: [LayerLayout.Entry] = []
    var count = 0

    init(model: LanguageModelConfiguration) { self.model = model }

    /// Places tensors one behind the other, beginning at a multiple of 64 bytes; returns the first offset.
    private mutating func place(
        _ tensors: [(name: String, shape: [Int], arrangement: TensorArrangement)], adding addend: Float = 0
    ) -> Int {
        count = (count + 15) / 16 * 16
        let first = count
        for tensor in tensors {
            let entry = LayerLayout.Entry(
                name: tensor.name, shape: tensor.shape, arrangement: tensor.arrangement, addend: addend, offset: count)
            entries.append(entry)
            count += entry.count
        }
        return first
    }

    mutating func placeNormWeight(_ name: String, width: Int) -> Int {
        place([(name + ".weight", [width], .asStored)], adding: model.addsOneToNorms ? 1 : 0)
    }

    mutating func placeNorm(_ name: String) -> LayerLayout.Norm {
        LayerLayout.Norm(
            weight: model.normParameters == .none ? nil : placeNormWeight(name, width: model.dModel),
            bias: model.normParameters == .weightAndBias ? placeBias(name, model.dModel) : nil)
    }

    mutating func placeBias(_ name: String, _ width: Int) -> Int { place([(name + ".bias", [width], .asStored)]) }

    /// - Parameter shape: as it is wanted.
    mutating func placeMatrix(_ name: String, _ shape: [Int], _ arrangement: TensorArrangement) -> Int {
        place([(name + ".weight", arrangement == .transposed ? shape.reversed() : shape, arrangement)])
    }

    mutating func placeProjections(_ names: TensorNames, queries: Int, keys: Int, isBias: Bool) -> Int {
        switch names.projections {
        case .fused(let name):
            let rows = queries + 2 * keys
            guard isBias else { return placeMatrix(name, [rows, model.dModel], names.fusedProjections) }
            // A vector has no inputs to be transposed with.
            let arrangement = names.fusedProjections == .transposed ? .asStored : names.fusedProjections
            return place([(name + ".bias", [rows], arrangement)])
        case .apart(let query, let key, let value):
            var turned = TensorArrangement.asStored
            if let rotary = model.rotaries.first, rotary.pairsNeighbours {
                turned = .neighbouringPairs(dimension: model.headDimension, rotated: rotary.dimension)
            }
            let suffix = isBias ? ".bias" : ".weight"
            func shape(_ rows: Int) -> [Int] { isBias ? [rows] : [rows, model.dModel] }
            return place([
                (query + suffix, shape(queries), turned), (key + suffix, shape(keys), turned),
                (value + suffix, shape(keys), .asStored),
            ])
        }
    }

    mutating func placeFeedForwardInput(_ names: TensorNames, isBias: Bool) -> Int {
        let (d, hidden) = (model.dModel, model.dFeedForward)
        switch names.feedForwardInput {
        case .gated(let gate, let value):
            let suffix = isBias ? ".bias" : ".weight"
            let shape = isBias ? [hidden] : [hidden, d]
            return place([(gate + suffix, shape, .asStored), (value + suffix, shape, .asStored)])
        case .fused(let name):
            return isBias ? placeBias(name, 2 * hidden) : placeMatrix(name, [2 * hidden, d], names.matrices)
        case .plain(let name):
            return isBias ? placeBias(name, hidden) : placeMatrix(name, [hidden, d], names.matrices)
        }
    }
}
