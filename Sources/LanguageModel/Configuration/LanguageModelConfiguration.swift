package import Tokenization

/// A decoder as its `config.json` describes it: sizes, and what its layers do. Keys are given beside values, as most
/// families name them.
///
/// All sizes have been checked when a configuration is there: they are positive, bounded, and no product of them that
/// the forward pass forms leaves the range of `Int`.
package struct LanguageModelConfiguration: Sendable, Equatable {
    /// `model_type`, of the text part where a model has others besides.
    package let family: ModelFamily
    /// The `model_type` of the whole model, if this is the text part of one that takes images or sound besides.
    package let wrapper: String?

    /// `vocab_size`: token ids are `0..<vocabularySize`.
    package let vocabularySize: Int
    /// `hidden_size`: the width of the residual stream.
    package let dModel: Int
    /// `intermediate_size`: the width of the feed-forward layer.
    package let dFeedForward: Int
    /// `num_hidden_layers`.
    package let layerCount: Int
    /// `num_attention_heads`.
    package let queryHeads: Int
    /// `num_key_value_heads`: each serves `queryHeads / keyValueHeads` query heads that are neighbours.
    package let keyValueHeads: Int
    /// `head_dim`, or `hidden_size / num_attention_heads`.
    package let headDimension: Int
    /// `max_position_embeddings`: the longest sequence; with `dynamic` scaling of positions that many times its factor.
    package let maximumPositions: Int

    /// The kind of the norms.
    package let norm: NormKind
    /// What the norms of the residual stream have.
    package let normParameters: NormParameters
    /// `rms_norm_eps` or `layer_norm_eps`.
    package let normEpsilon: Float
    /// Whether norms multiply by 1 + w instead of w.
    package let addsOneToNorms: Bool
    /// Where a layer has norms, and how its parts join the residual stream.
    package let block: DecoderBlock
    /// The norms of queries and keys.
    package let queryKeyNorm: QueryKeyNorm
    /// `hidden_act`: the function of the feed-forward layer.
    package let activation: FeedForwardActivation
    /// Whether the feed-forward layer has a gate: activation(x·Wg) ⊙ x·Wv instead of activation(x·W).
    package let isGated: Bool

    /// Whether queries, keys and values have biases (`attention_bias`).
    package let biasesQueriesKeysValues: Bool
    /// Whether the attention's output has a bias (`attention_bias`).
    package let biasesAttentionOutput: Bool
    /// Whether the feed-forward layer has biases (`mlp_bias`).
    package let biasesFeedForward: Bool
    /// Whether the unembedding has a bias.
    package let biasesUnembedding: Bool
    /// `tie_word_embeddings`: the unembedding is the embedding.
    package let tiesEmbeddings: Bool
    /// How many learned positions are added to the embeddings; nil where there are none.
    package let learnedPositions: Int?

    /// The factor of the embeddings.
    package let embeddingScale: Float
    /// `residual_multiplier`: the factor of what a layer's parts add to the residual stream.
    package let residualScale: Float
    /// The factor of the logits.
    package let logitScale: Float
    /// `clip_qkv`: queries, keys and values are kept within ± this.
    package let projectionLimit: Float?
    /// `attn_logit_softcapping`: products of queries and keys s become cap · tanh(s / cap).
    package let scoreCap: Float?
    /// `final_logit_softcapping`: the same for logits.
    package let logitCap: Float?

    /// The rotary embeddings, one for all layers or several.
    package let rotaries: [RotaryEmbedding]
    /// What may differ from layer to layer: one entry for each.
    package let layers: [DecoderLayer]

    /// `bos_token_id`.
    package let beginOfSequence: TokenID?
    /// `eos_token_id`, one or several.
    package let endOfSequence: [TokenID]
    /// `torch_dtype` or `dtype`: the nominal type of the weights; each tensor states its own.
    package let storedType: String?

    /// The number of weights.
    package var parameterCount: Int {
        let layout = LayerLayout(self)
        let norm =
            switch normParameters {
            case .none: 0
            case .weight: dModel
            case .weightAndBias: 2 * dModel
            }
        let tables = vocabularySize * dModel * (tiesEmbeddings ? 1 : 2) + (learnedPositions ?? 0) * dModel
        return layout.entries.reduce(0) { $0 + $1.count } * layerCount + norm + tables
            + (biasesUnembedding ? vocabularySize : 0)
    }
}
