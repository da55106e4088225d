package import Tokenization

/// The configuration of a Llama-family decoder, from a model directory's `config.json`. Keys are given beside values.
///
/// All sizes have been checked when a configuration is there: they are positive, bounded, and no product of them that
/// the forward pass forms leaves the range of `Int`.
package struct LanguageModelConfiguration: Sendable, Equatable {
    /// The supported architectures; they differ in biases, norms and windows.
    package enum Architecture: String, Sendable, CaseIterable {
        /// Llama 1 to 3, and models that declare this type.
        case llama
        /// Llama with a sliding window in every layer.
        case mistral
        /// Llama with biases on queries, keys and values, and a window in some layers.
        case qwen2
        /// Llama with a norm on every query and key head, and a window in some layers.
        case qwen3
    }

    /// `model_type`.
    package let architecture: Architecture
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
    /// `max_position_embeddings`: the longest sequence.
    package let maximumPositions: Int
    /// `rms_norm_eps`.
    package let normEpsilon: Float
    /// `rope_theta`, at the top or in `rope_parameters`.
    package let rotaryTheta: Double
    /// `rope_scaling` or `rope_parameters`.
    package let rotaryScaling: RotaryScaling
    /// `tie_word_embeddings`: the unembedding is the embedding.
    package let tiesEmbeddings: Bool
    /// Whether queries, keys and values have biases (`attention_bias`; always in `qwen2`).
    package let biasesQueriesKeysValues: Bool
    /// Whether the attention's output has a bias (`attention_bias`; never in `qwen2`).
    package let biasesAttentionOutput: Bool
    /// `mlp_bias`.
    package let biasesFeedForward: Bool
    /// Whether each head of queries and keys is normalised before it is rotated (`qwen3`).
    package let normalisesQueriesAndKeys: Bool
    /// For every layer how many positions a query sees, its own included; nil for all before it. From `sliding_window`,
    /// `use_sliding_window`, `max_window_layers`, `layer_types`.
    package let attentionWindows: [Int?]
    /// `bos_token_id`.
    package let beginOfSequence: TokenID?
    /// `eos_token_id`, one or several.
    package let endOfSequence: [TokenID]
    /// `torch_dtype` or `dtype`: the nominal type of the weights; each tensor states its own.
    package let storedType: String?

    /// The number of weights.
    package var parameterCount: Int {
        let layers = LayerLayout(self).entries.reduce(0) { $0 + $1.count } * layerCount
        return layers + dModel + vocabularySize * dModel * (tiesEmbeddings ? 1 : 2)
    }
}
