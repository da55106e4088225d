/// The layout of one decoder layer's weights in a buffer of fp32 elements, with their names in a checkpoint.
///
/// Weights applied to the same input are adjacent, so that one product computes them all: the rows
/// of queries, keys and values, and the rows of gate and value of the feed-forward layer.
struct LayerLayout: Sendable {
    /// One tensor of the checkpoint.
    struct Entry: Sendable {
        /// The name after `model.layers.N.`.
        let name: String
        /// As in the checkpoint, row-major.
        let shape: [Int]
        /// The offset of the first element in the buffer.
        let offset: Int

        var count: Int { shape.reduce(1, *) }
    }

    /// Every tensor of a layer: norms and biases, then the matrices.
    private(set) var entries: [Entry] = []
    /// The size of the buffer in elements.
    private(set) var count = 0
    /// The size of the part of it that comes before the matrices.
    let vectorCount: Int

    /// `[dModel]`
    let attentionNorm: Int
    /// `[(queryHeads + 2 · keyValueHeads) · headDimension × dModel]`: queries, then keys, then values
    let queriesKeysValues: Int
    /// `[(queryHeads + 2 · keyValueHeads) · headDimension]`
    let queriesKeysValuesBias: Int?
    /// `[headDimension]`
    let queryNorm: Int?
    /// `[headDimension]`
    let keyNorm: Int?
    /// `[dModel × queryHeads · headDimension]`
    let attentionOutput: Int
    /// `[dModel]`
    let attentionOutputBias: Int?
    /// `[dModel]`
    let feedForwardNorm: Int
    /// `[2 · dFeedForward × dModel]`: gate, then value
    let gateAndValue: Int
    /// `[2 · dFeedForward]`
    let gateAndValueBias: Int?
    /// `[dModel × dFeedForward]`
    let feedForwardOutput: Int
    /// `[dModel]`
    let feedForwardOutputBias: Int?

    /// Lays out a layer of the model.
    init(_ model: LanguageModelConfiguration) {
        let d = model.dModel
        let queries = model.queryHeads * model.headDimension
        let keys = model.keyValueHeads * model.headDimension
        var entries: [Entry] = []
        var count = 0

        /// Places tensors one behind the other, beginning at a multiple of 64 bytes; returns the first offset.
        func place(_ tensors: [(name: String, shape: [Int])]) -> Int {
            count = (count + 15) / 16 * 16
            let first = count
            for tensor in tensors {
                entries.append(Entry(name: tensor.name, shape: tensor.shape, offset: count))
                count += tensor.shape.reduce(1, *)
            }
            return first
        }

        func place(_ tensors: [(name: String, shape: [Int])], if present: Bool) -> Int? {
            present ? place(tensors) : nil
        }

        attentionNorm = place([("input_layernorm.weight", [d])])
        queriesKeysValuesBias = place(
            [
                ("self_attn.q_proj.bias", [queries]),
                ("self_attn.k_proj.bias", [keys]),
                ("self_attn.v_proj.bias", [keys]),
            ], if: model.biasesQueriesKeysValues)
        queryNorm = place([("self_attn.q_norm.weight", [model.headDimension])], if: model.normalisesQueriesAndKeys)
        keyNorm = place([("self_attn.k_norm.weight", [model.headDimension])], if: model.normalisesQueriesAndKeys)
        attentionOutputBias = place([("self_attn.o_proj.bias", [d])], if: model.biasesAttentionOutput)
        feedForwardNorm = place([("post_attention_layernorm.weight", [d])])
        gateAndValueBias = place(
            [("mlp.gate_proj.bias", [model.dFeedForward]), ("mlp.up_proj.bias", [model.dFeedForward])],
            if: model.biasesFeedForward)
        feedForwardOutputBias = place([("mlp.down_proj.bias", [d])], if: model.biasesFeedForward)
        vectorCount = count

        queriesKeysValues = place([
            ("self_attn.q_proj.weight", [queries, d]),
            ("self_attn.k_proj.weight", [keys, d]),
            ("self_attn.v_proj.weight", [keys, d]),
        ])
        attentionOutput = place([("self_attn.o_proj.weight", [d, queries])])
        gateAndValue = place([
            ("mlp.gate_proj.weight", [model.dFeedForward, d]),
            ("mlp.up_proj.weight", [model.dFeedForward, d]),
        ])
        feedForwardOutput = place([("mlp.down_proj.weight", [d, model.dFeedForward])])

        self.entries = entries
        self.count = count
    }
}
