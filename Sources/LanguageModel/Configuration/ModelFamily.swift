/// The families of language models that run here, by the `model_type` of their `config.json`.
///
/// A family is data: `traits` says in what it departs from Llama, and `TensorNames` how its tensors are called. There is
/// one forward pass for all.
package enum ModelFamily: String, Sendable, CaseIterable {
    /// Llama 1 to 3, and models that declare this type.
    case llama
    /// Llama with a sliding window in every layer.
    case mistral
    /// Llama with biases on queries, keys and values, and a window in some layers.
    case qwen2
    /// Llama with a norm on every query and key head, and a window in some layers.
    case qwen3
    /// LayerNorm, learned positions, biases, no gate; matrices stored transposed.
    case gpt2
    /// As `gpt2`, with a window in every other layer and scores that are not scaled (GPT-Neo, TinyStories).
    case gptNeo = "gpt_neo"
    /// Attention and feed-forward beside each other behind one LayerNorm; neighbouring elements are rotated.
    case gptJ = "gptj"
    /// Attention and feed-forward beside each other, part of each head rotated (GPT-NeoX, Pythia).
    case gptNeoX = "gpt_neox"
    /// As `gptJ`, with biases everywhere and halves rotated (Phi 1 to 2).
    case phi
    /// Llama with fused matrices and two sets of rotary frequencies (Phi 3 and 4).
    case phi3
    /// RMSNorm by 1 + w, scaled embeddings, GeGLU.
    case gemma
    /// As `gemma`, with norms before and behind both parts, capped scores and logits, a window in every other layer.
    case gemma2
    /// As `gemma2` without caps, with norms of queries and keys and two rotary bases.
    case gemma3 = "gemma3_text"
    /// Llama with LayerNorms without weights, and limits of queries, keys and values (OLMo 1).
    case olmo
    /// Llama with norms behind both parts instead of before, and norms across all queries and all keys.
    case olmo2
    /// Llama with LayerNorms and part of each head rotated.
    case stablelm
    /// Llama with LayerNorms, biases, and no gate.
    case starcoder2
    /// Llama with layers that have no positions.
    case smollm3
    /// Llama with multipliers of embeddings, scores, both parts and logits.
    case granite
}

extension ModelFamily {
    /// Well-known models of the family.
    package var models: String {
        switch self {
        case .llama: "Llama 1 to 3, TinyLlama, SmolLM 1 and 2, Yi, DeepSeek LLM, Vicuna"
        case .mistral: "Mistral 7B, NeMo, Ministral, Zephyr"
        case .qwen2: "Qwen 1.5 to 2.5, QwQ, DeepSeek-R1 distilled"
        case .qwen3: "Qwen 3"
        case .gpt2: "GPT-2, DistilGPT2, DialoGPT"
        case .gptNeo: "GPT-Neo, TinyStories"
        case .gptJ: "GPT-J 6B"
        case .gptNeoX: "Pythia, GPT-NeoX 20B, Dolly 2, RedPajama"
        case .phi: "Phi 1, 1.5 and 2"
        case .phi3: "Phi 3 mini and medium, 3.5 mini, 4 and 4 mini"
        case .gemma: "Gemma 1, CodeGemma"
        case .gemma2: "Gemma 2"
        case .gemma3: "Gemma 3"
        case .olmo: "OLMo 1"
        case .olmo2: "OLMo 2"
        case .stablelm: "StableLM 2 1.6B, StableLM 3B and Zephyr 3B"
        case .starcoder2: "StarCoder 2"
        case .smollm3: "SmolLM 3"
        case .granite: "Granite 3"
        }
    }

    /// Models of which the text part runs.
    package static let wrapped: [(name: String, models: String)] = [
        (
            "text_config",
            "Gemma 3 with images (gemma3), Mistral 3 (mistral3), LLaVA (llava), and others whose text part is a family above"
        )
    ]
}
