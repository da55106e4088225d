/// How a family calls its tensors, without the prefix that a checkpoint of a whole causal language model puts before all
/// but the unembedding.
struct TensorNames {
    /// The names of a layer's projections of queries, keys and values.
    enum Projections {
        case apart(query: String, key: String, value: String)
        case fused(String)
    }

    /// The names of the matrices before a feed-forward layer's activation.
    enum FeedForwardInput {
        case gated(gate: String, value: String)
        case fused(String)
        case plain(String)
    }

    /// What a whole model puts before the names.
    var prefix = "model."
    var embedding = "embed_tokens.weight"
    /// Learned positions.
    var positions = "wpe.weight"
    /// What stands before a layer's number.
    var layers = "layers."
    /// Without `.weight` and `.bias`, as all names of a layer.
    var finalNorm = "norm"
    /// Without prefix.
    var unembedding = "lm_head"

    var attentionNorm = "input_layernorm"
    var attentionOutputNorm = "post_attention_layernorm"
    var projections = Projections.apart(
        query: "self_attn.q_proj", key: "self_attn.k_proj", value: "self_attn.v_proj")
    var queryNorm = "self_attn.q_norm"
    var keyNorm = "self_attn.k_norm"
    var attentionOutput = "self_attn.o_proj"
    var feedForwardNorm = "post_attention_layernorm"
    var feedForwardOutputNorm = "post_feedforward_layernorm"
    var feedForwardInput = FeedForwardInput.gated(gate: "mlp.gate_proj", value: "mlp.up_proj")
    var feedForwardOutput = "mlp.down_proj"

    /// How the fused projections are stored.
    var fusedProjections = TensorArrangement.asStored
    /// How the other matrices are stored.
    var matrices = TensorArrangement.asStored

    /// The names in checkpoints of a model.
    init(_ model: LanguageModelConfiguration) {
        switch model.family {
        case .llama, .mistral, .qwen2, .qwen3, .gemma, .olmo, .olmo2, .stablelm, .smollm3, .granite:
            break
        case .gemma2, .gemma3:
            feedForwardNorm = "pre_feedforward_layernorm"
        case .starcoder2:
            feedForwardInput = .plain("mlp.c_fc")
            feedForwardOutput = "mlp.c_proj"
        case .phi3:
            projections = .fused("self_attn.qkv_proj")
            feedForwardInput = .fused("mlp.gate_up_proj")
        case .phi:
            finalNorm = "final_layernorm"
            attentionOutput = "self_attn.dense"
            feedForwardInput = .plain("mlp.fc1")
            feedForwardOutput = "mlp.fc2"
        case .gptNeoX:
            prefix = "gpt_neox."
            embedding = "embed_in.weight"
            finalNorm = "final_layer_norm"
            unembedding = "embed_out"
            projections = .fused("attention.query_key_value")
            fusedProjections = .headsOfQueryKeyValue(dimension: model.headDimension)
            attentionOutput = "attention.dense"
            feedForwardInput = .plain("mlp.dense_h_to_4h")
            feedForwardOutput = "mlp.dense_4h_to_h"
        case .gpt2, .gptNeo, .gptJ:
            takeNamesOfGPT(model.family)
        }
    }

    private mutating func takeNamesOfGPT(_ family: ModelFamily) {
        prefix = "transformer."
        embedding = "wte.weight"
        layers = "h."
        finalNorm = "ln_f"
        attentionNorm = "ln_1"
        feedForwardNorm = "ln_2"
        feedForwardInput = .plain("mlp.c_fc")
        feedForwardOutput = "mlp.c_proj"
        switch family {
        case .gptNeo:
            projections = .apart(
                query: "attn.attention.q_proj", key: "attn.attention.k_proj", value: "attn.attention.v_proj")
            attentionOutput = "attn.attention.out_proj"
        case .gptJ:
            projections = .apart(query: "attn.q_proj", key: "attn.k_proj", value: "attn.v_proj")
            attentionOutput = "attn.out_proj"
            feedForwardInput = .plain("mlp.fc_in")
            feedForwardOutput = "mlp.fc_out"
        default:
            projections = .fused("attn.c_attn")
            fusedProjections = .transposed
            matrices = .transposed
            attentionOutput = "attn.c_proj"
        }
    }

    /// The prefixes that checkpoints put before all names but the unembedding's, the usual one first: none in a checkpoint
    /// of a bare decoder, others around the text part of a model that takes images.
    var prefixes: [String] {
        [prefix, "", "language_model." + prefix, "model.language_model.", "language_model."]
    }

    /// The names that the unembedding may have; transformers 5 calls all of them alike.
    var unembeddings: [String] {
        [unembedding, "lm_head"].flatMap { name in ["", "language_model.", "model."].map { $0 + name } }
    }
}
