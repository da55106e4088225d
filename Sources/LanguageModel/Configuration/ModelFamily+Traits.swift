extension ModelFamily {
    /// In what the family departs from Llama.
    var traits: FamilyTraits {
        switch self {
        case .llama: .llama
        case .mistral: .mistral
        case .qwen2: .qwen2
        case .qwen3: .qwen3
        case .gpt2: .gpt2
        case .gptNeo: .gptNeo
        case .gptJ: .gptJ
        case .gptNeoX: .gptNeoX
        case .phi: .phi
        case .phi3: .phi3
        case .gemma: .gemma
        case .gemma2: .gemma2
        case .gemma3: .gemma3
        case .olmo: .olmo
        case .olmo2: .olmo2
        case .stablelm: .stablelm
        case .starcoder2: .starcoder2
        case .smollm3: .smollm3
        case .granite: .granite
        }
    }
}

extension FamilyTraits {
    /// Traits that depart from others.
    private func with(_ change: (inout FamilyTraits) -> Void) -> FamilyTraits {
        var traits = self
        change(&traits)
        return traits
    }

    fileprivate static let llama = FamilyTraits(
        sizes: Sizes(vocabulary: 32_000, width: 4096, feedForward: 11_008, layers: 32, heads: 32, positions: 2048)
    ).with {
        $0.queryKeyValueBias = .key("attention_bias", default: false)
        $0.attentionOutputBias = .key("attention_bias", default: false)
        $0.feedForwardBias = .key("mlp_bias", default: false)
    }

    /// Llama without biases.
    private static let plain = llama.with {
        $0.queryKeyValueBias = .never
        $0.attentionOutputBias = .never
        $0.feedForwardBias = .never
    }

    /// Llama with biases in attention alone.
    private static let biasedAttention = llama.with { $0.feedForwardBias = .never }

    fileprivate static let mistral = plain.with {
        $0.sizes = Sizes(
            vocabulary: 32_000, width: 4096, feedForward: 14_336, layers: 32, heads: 32, keyValueHeads: 8,
            positions: 131_072)
        $0.windows = .always(default: 4096)
    }

    fileprivate static let qwen2 = plain.with {
        $0.sizes = Sizes(
            vocabulary: 151_936, width: 4096, feedForward: 22_016, layers: 32, heads: 32, keyValueHeads: 32,
            positions: 32_768)
        $0.queryKeyValueBias = .always
        $0.windows = .ifUsed
    }

    fileprivate static let qwen3 = biasedAttention.with {
        $0.sizes = Sizes(
            vocabulary: 151_936, width: 4096, feedForward: 22_016, layers: 32, heads: 32, keyValueHeads: 32,
            headDimension: 128, positions: 32_768)
        $0.queryKeyNorm = .eachHead
        $0.windows = .ifUsed
    }

    /// What the models of the GPT line share.
    private static let gpt = plain.with {
        $0.groupsHeads = false
        $0.namesHeadDimension = false
        $0.norm = .layer
        $0.normParameters = .weightAndBias
        $0.epsilon = 1e-5
        $0.activation = .geluTanh
        $0.isGated = false
        $0.feedForwardBias = .always
        $0.keys.epsilon = "layer_norm_epsilon"
        $0.keys.activation = "activation_function"
    }

    /// The names of sizes that GPT-2 began.
    private static let olderKeys = Keys(
        width: "n_embd", feedForward: "n_inner", layers: "n_layer", heads: "n_head", positions: "n_positions",
        epsilon: "layer_norm_epsilon", activation: "activation_function")

    fileprivate static let gpt2 = gpt.with {
        $0.sizes = Sizes(vocabulary: 50_257, width: 768, layers: 12, heads: 12, positions: 1024)
        $0.keys = olderKeys
        $0.queryKeyValueBias = .always
        $0.attentionOutputBias = .always
        $0.tiesEmbeddings = true
        $0.learnsPositions = true
        $0.rotary = .none
    }

    fileprivate static let gptNeo = gpt.with {
        $0.sizes = Sizes(vocabulary: 50_257, width: 2048, layers: 24, heads: 16, positions: 2048)
        $0.keys.layers = "num_layers"
        $0.keys.heads = "num_heads"
        $0.attentionOutputBias = .always
        $0.tiesEmbeddings = true
        $0.learnsPositions = true
        $0.scalesScores = false
        $0.rotary = .none
        $0.windows = .attentionTypes
    }

    fileprivate static let gptJ = gpt.with {
        $0.sizes = Sizes(vocabulary: 50_400, width: 4096, layers: 28, heads: 16, positions: 2048)
        $0.keys = olderKeys
        $0.block.isParallel = true
        $0.block.sharesInputNorm = true
        $0.unembeddingHasBias = true
        $0.rotary = .neighbours(default: 64)
    }

    fileprivate static let gptNeoX = gpt.with {
        $0.sizes = Sizes(
            vocabulary: 50_432, width: 6144, feedForward: 24_576, layers: 44, heads: 64, positions: 2048)
        $0.keys.epsilon = "layer_norm_eps"
        $0.keys.activation = "hidden_act"
        $0.activation = .gelu
        $0.block.isParallel = true
        $0.queryKeyValueBias = .key("attention_bias", default: true)
        $0.attentionOutputBias = .key("attention_bias", default: true)
        $0.rotary = .rotaryPercentage(default: 0.25)
    }

    fileprivate static let phi = gpt.with {
        $0.sizes = Sizes(vocabulary: 51_200, width: 2048, feedForward: 8192, layers: 24, heads: 32, positions: 2048)
        $0.groupsHeads = true
        $0.namesHeadDimension = true
        $0.keys.epsilon = "layer_norm_eps"
        $0.keys.activation = "hidden_act"
        $0.block.isParallel = true
        $0.block.sharesInputNorm = true
        $0.queryKeyValueBias = .always
        $0.attentionOutputBias = .always
        $0.unembeddingHasBias = true
        $0.rotary = .partOfHeads(default: 0.5)
    }

    fileprivate static let phi3 = plain.with {
        $0.sizes = Sizes(vocabulary: 32_064, width: 3072, feedForward: 8192, layers: 32, heads: 32, positions: 4096)
        $0.epsilon = 1e-5
        $0.rotary = .partOfHeads(default: 1)
        $0.windows = .always(default: nil)
    }

    fileprivate static let gemma = biasedAttention.with {
        $0.sizes = Sizes(
            vocabulary: 256_000, width: 3072, feedForward: 24_576, layers: 28, heads: 16, keyValueHeads: 16,
            headDimension: 256, positions: 8192)
        $0.addsOneToNorms = true
        $0.activation = .geluTanh
        $0.readsGeluAsTanh = true
        $0.tiesEmbeddings = true
        $0.scalesEmbeddings = true
    }

    fileprivate static let gemma2 = gemma.with {
        $0.sizes = Sizes(
            vocabulary: 256_000, width: 2304, feedForward: 9216, layers: 26, heads: 8, keyValueHeads: 4,
            headDimension: 256, positions: 8192)
        $0.keys.activation = "hidden_activation"
        $0.readsGeluAsTanh = false
        $0.block.normsAttentionOutput = true
        $0.block.normsFeedForwardOutput = true
        $0.windows = .allButEvery(2, patternKey: nil, default: 4096)
    }

    fileprivate static let gemma3 = gemma2.with {
        $0.sizes = Sizes(
            vocabulary: 262_208, width: 2304, feedForward: 9216, layers: 26, heads: 8, keyValueHeads: 4,
            headDimension: 256, positions: 131_072)
        $0.queryKeyNorm = .eachHead
        $0.rotary = .byWindow
        $0.rotaryTheta = 1_000_000
        $0.windows = .allButEvery(6, patternKey: "sliding_window_pattern", default: 4096)
    }

    fileprivate static let olmo = biasedAttention.with {
        $0.sizes = Sizes(vocabulary: 50_304, width: 4096, feedForward: 11_008, layers: 32, heads: 32, positions: 2048)
        $0.norm = .layer
        $0.normParameters = .none
        $0.epsilon = 1e-5
        $0.keys.epsilon = nil
    }

    fileprivate static let olmo2 = biasedAttention.with {
        $0.sizes = Sizes(vocabulary: 50_304, width: 4096, feedForward: 11_008, layers: 32, heads: 32, positions: 2048)
        $0.epsilon = 1e-5
        $0.block.normsAttentionInput = false
        $0.block.normsAttentionOutput = true
        $0.block.normsFeedForwardInput = false
        $0.block.normsFeedForwardOutput = true
        $0.queryKeyNorm = .allHeads
    }

    fileprivate static let stablelm = plain.with {
        $0.sizes = Sizes(
            vocabulary: 50_304, width: 2560, feedForward: 6912, layers: 32, heads: 32, keyValueHeads: 32,
            positions: 4096)
        $0.norm = .layer
        $0.normParameters = .weightAndBias
        $0.epsilon = 1e-5
        $0.keys.epsilon = "layer_norm_eps"
        $0.queryKeyValueBias = .key("use_qkv_bias", default: false)
        $0.rotary = .partOfHeads(default: 0.25)
    }

    fileprivate static let starcoder2 = plain.with {
        $0.sizes = Sizes(
            vocabulary: 49_152, width: 3072, feedForward: 12_288, layers: 30, heads: 24, keyValueHeads: 2,
            positions: 4096)
        $0.norm = .layer
        $0.normParameters = .weightAndBias
        $0.epsilon = 1e-5
        $0.keys.epsilon = "norm_epsilon"
        $0.activation = .geluTanh
        $0.isGated = false
        $0.queryKeyValueBias = .key("use_bias", default: true)
        $0.attentionOutputBias = .key("use_bias", default: true)
        $0.feedForwardBias = .key("use_bias", default: true)
        $0.tiesEmbeddings = true
        $0.windows = .always(default: nil)
    }

    fileprivate static let smollm3 = llama.with {
        $0.sizes = Sizes(
            vocabulary: 128_256, width: 2048, feedForward: 11_008, layers: 36, heads: 16, keyValueHeads: 4,
            positions: 32_768)
        $0.tiesEmbeddings = true
        $0.rotaryTheta = 2_000_000
        $0.windows = .withoutPositions
    }

    fileprivate static let granite = llama
}
