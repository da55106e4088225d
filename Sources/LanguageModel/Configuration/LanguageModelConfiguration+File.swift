extension LanguageModelConfiguration {
    /// Reads and checks a `config.json`, as transformers 4 or 5 writes it.
    ///
    /// A missing key has transformers' default, except for the sizes, which are required.
    ///
    /// - Throws: `.missing`, `.unreadable`, `.malformedConfiguration`, `.unsupportedConfiguration`.
    package init(path: String) throws(LanguageModelError) {
        let document = try ConfigurationDocument(path: path)
        architecture = try Self.architecture(document)

        vocabularySize = try document.integer("vocab_size", in: 1...4_194_304)
        dModel = try document.integer("hidden_size", in: 1...131_072)
        dFeedForward = try document.integer("intermediate_size", in: 1...1_048_576)
        layerCount = try document.integer("num_hidden_layers", in: 1...1024)
        queryHeads = try document.integer("num_attention_heads", in: 1...4096)
        maximumPositions = try document.integer(
            "max_position_embeddings", in: 1...16_777_216, default: architecture.defaultPositions)
        keyValueHeads = try Self.keyValueHeads(document, architecture: architecture, queryHeads: queryHeads)
        headDimension = try Self.headDimension(
            document, architecture: architecture, dModel: dModel, queryHeads: queryHeads)

        normEpsilon = Float(try document.positiveNumber("rms_norm_eps", default: 1e-6))
        // Two names of one function.
        if let activation = try document.text("hidden_act"), activation != "silu", activation != "swish" {
            throw document.unsupported("hidden_act", supported: "silu, swish")
        }
        (rotaryTheta, rotaryScaling) = try Self.rotary(document, maximumPositions: maximumPositions)

        tiesEmbeddings = try document.flag("tie_word_embeddings", default: false)
        let attentionBias = try document.flag("attention_bias", default: false)
        let feedForwardBias = try document.flag("mlp_bias", default: false)
        // transformers reads these two keys for some of the architectures only.
        biasesQueriesKeysValues =
            architecture == .qwen2 || attentionBias && (architecture == .llama || architecture == .qwen3)
        biasesAttentionOutput = attentionBias && (architecture == .llama || architecture == .qwen3)
        biasesFeedForward = feedForwardBias && architecture == .llama
        normalisesQueriesAndKeys = architecture == .qwen3
        attentionWindows = try Self.windows(document, architecture: architecture, layerCount: layerCount)

        beginOfSequence = try document.tokens("bos_token_id").first
        endOfSequence = try document.tokens("eos_token_id")
        // transformers 5 renamed the key.
        storedType = try document.text(document.mentions("dtype") ? "dtype" : "torch_dtype")
    }

    private static func architecture(_ document: ConfigurationDocument) throws(LanguageModelError) -> Architecture {
        guard let name = try document.text("model_type") else {
            throw document.malformed("model_type", expected: "the name of an architecture")
        }
        guard let architecture = Architecture(rawValue: name) else {
            let known = Architecture.allCases.map(\.rawValue).joined(separator: ", ")
            throw document.unsupported("model_type", supported: known)
        }
        return architecture
    }

    private static func keyValueHeads(
        _ document: ConfigurationDocument, architecture: Architecture, queryHeads: Int
    ) throws(LanguageModelError) -> Int {
        let key = "num_key_value_heads"
        // Null means one for each query head; what a missing key means depends on the architecture.
        let fallback = document.mentions(key) ? queryHeads : architecture.defaultKeyValueHeads ?? queryHeads
        let heads = try document.integer(key, in: 1...4096, default: fallback)
        guard queryHeads % heads == 0 else {
            throw document.malformed(key, expected: "a divisor of num_attention_heads (\(queryHeads))")
        }
        return heads
    }

    private static func headDimension(
        _ document: ConfigurationDocument, architecture: Architecture, dModel: Int, queryHeads: Int
    ) throws(LanguageModelError) -> Int {
        let key = "head_dim"
        let dimension: Int
        if document.value(key) != nil {
            dimension = try document.integer(key, in: 1...16_384)
        } else if architecture == .qwen3, !document.mentions(key) {
            dimension = 128
        } else {
            guard dModel % queryHeads == 0 else {
                throw document.malformed(
                    "hidden_size",
                    expected: "a multiple of num_attention_heads (\(queryHeads)), as there is no head_dim")
            }
            dimension = dModel / queryHeads
        }
        guard dimension % 2 == 0 else {
            throw document.malformed(key, expected: "an even number (it came to \(dimension)): RoPE turns pairs")
        }
        // Far beyond any model; keeps buffer sizes from overflowing.
        guard queryHeads * dimension <= 1_048_576 else {
            throw document.malformed(key, expected: "at most 1048576 divided by num_attention_heads (\(queryHeads))")
        }
        return dimension
    }

    /// The window of every layer.
    private static func windows(
        _ document: ConfigurationDocument, architecture: Architecture, layerCount: Int
    ) throws(LanguageModelError) -> [Int?] {
        let all = [Int?](repeating: nil, count: layerCount)
        let types = try layerTypes(document, layerCount: layerCount)
        switch architecture {
        case .llama:
            guard !types.contains(true) else {
                throw document.unsupported("layer_types", supported: "full_attention in a llama model")
            }
            return all
        case .mistral:
            // A missing key has a default here; null turns the window off.
            if document.mentions("sliding_window"), document.value("sliding_window") == nil { return all }
            guard !types.contains(false) else {
                throw document.unsupported("layer_types", supported: "sliding_attention in a mistral model")
            }

            let window = try document.integer("sliding_window", in: 1...Int(Int32.max), default: 4096)
            return all.map { _ in window }
        case .qwen2, .qwen3:
            guard try document.flag("use_sliding_window", default: false) else {
                guard !types.contains(true) else {
                    throw document.malformed(
                        "layer_types", expected: "full_attention only, as use_sliding_window is not true")
                }
                return all
            }
            if document.mentions("sliding_window"), document.value("sliding_window") == nil {
                guard !types.contains(true) else {
                    throw document.malformed("sliding_window", expected: "a number, as layer_types asks for a window")
                }
                return all
            }

            let window = try document.integer("sliding_window", in: 1...Int(Int32.max), default: 4096)
            if !types.isEmpty { return types.map { $0 ? window : nil } }
            let first = try document.integer("max_window_layers", in: 0...Int(Int32.max), default: 28)
            return all.indices.map { $0 >= first ? window : nil }
        }
    }

    /// For every layer whether it has a window; empty if the key is missing.
    private static func layerTypes(
        _ document: ConfigurationDocument, layerCount: Int
    ) throws(LanguageModelError) -> [Bool] {
        guard let types = try document.texts("layer_types") else { return [] }
        guard types.count == layerCount else {
            throw document.malformed("layer_types", expected: "one for each of the \(layerCount) layers")
        }
        guard types.allSatisfy({ $0 == "sliding_attention" || $0 == "full_attention" }) else {
            throw document.unsupported("layer_types", supported: "full_attention, sliding_attention")
        }
        return types.map { $0 == "sliding_attention" }
    }
}

extension LanguageModelConfiguration.Architecture {
    /// Transformers' default for a missing `num_key_value_heads`; nil for one per query head.
    fileprivate var defaultKeyValueHeads: Int? {
        switch self {
        case .llama: nil
        case .mistral: 8
        case .qwen2, .qwen3: 32
        }
    }

    /// Transformers' default for a missing `max_position_embeddings`.
    fileprivate var defaultPositions: Int {
        switch self {
        case .llama: 2048
        case .mistral: 131_072
        case .qwen2, .qwen3: 32_768
        }
    }
}
