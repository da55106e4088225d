import Tokenization

extension LanguageModelConfiguration {
    /// Reads and checks a `config.json`, as transformers 4 or 5 writes it.
    ///
    /// A missing key has transformers' default, except for the sizes, which are required unless the file describes a model
    /// of several parts: those leave out whatever is as usual. Of such a model this is the text part (`text_config`).
    ///
    /// - Throws: `.missing`, `.unreadable`, `.malformedConfiguration`, `.unsupportedConfiguration`.
    package init(path: String) throws(LanguageModelError) {
        let file = try ConfigurationDocument(path: path)
        let (document, family) = try ModelFamily.textPart(of: file)
        let traits = family.traits
        let isPart = !document.prefix.isEmpty
        self.family = family
        wrapper = isPart ? try file.text("model_type") : nil

        func size(_ key: String, in range: ClosedRange<Int>, usual: Int) throws(LanguageModelError) -> Int {
            try document.integer(key, in: range, default: isPart ? usual : nil)
        }

        vocabularySize = try size("vocab_size", in: 1...4_194_304, usual: traits.sizes.vocabulary)
        dModel = try size(traits.keys.width, in: 1...131_072, usual: traits.sizes.width)
        layerCount = try size(traits.keys.layers, in: 1...1024, usual: traits.sizes.layers)
        queryHeads = try size(traits.keys.heads, in: 1...4096, usual: traits.sizes.heads)
        let hidden = 1...1_048_576
        if let usual = traits.sizes.feedForward {
            dFeedForward = try size(traits.keys.feedForward, in: hidden, usual: usual)
        } else {
            dFeedForward = try document.integer(traits.keys.feedForward, in: hidden, default: 4 * dModel)
        }
        keyValueHeads = try Self.keyValueHeads(document, traits: traits, queryHeads: queryHeads)
        headDimension = try Self.headDimension(document, traits: traits, dModel: dModel, queryHeads: queryHeads)
        let positions = try document.integer(
            traits.keys.positions, in: 1...16_777_216, default: traits.sizes.positions)

        norm = traits.norm
        normParameters = traits.normParameters
        var epsilon = traits.epsilon
        if let key = traits.keys.epsilon { epsilon = try document.positiveNumber(key, default: epsilon) }
        normEpsilon = Float(epsilon)
        addsOneToNorms = traits.addsOneToNorms
        var block = traits.block
        if family == .gptNeoX { block.isParallel = try document.flag("use_parallel_residual", default: true) }
        if family == .stablelm, try document.flag("use_parallel_residual", default: false) {
            block.isParallel = true
            block.sharesInputNorm = true
        }
        self.block = block
        queryKeyNorm = traits.queryKeyNorm
        activation = try Self.activation(document, traits: traits)
        isGated = traits.isGated
        try Self.refuseUnsupported(document, family: family)

        biasesQueriesKeysValues = try traits.queryKeyValueBias.value(document)
        biasesAttentionOutput = try traits.attentionOutputBias.value(document)
        biasesFeedForward = try traits.feedForwardBias.value(document)
        biasesUnembedding = traits.unembeddingHasBias
        // Of a model of several parts, either may say so.
        let ties = try document.flag("tie_word_embeddings", default: traits.tiesEmbeddings)
        let outerTies = try file.flag("tie_word_embeddings", default: false)
        tiesEmbeddings = ties || outerTies
        learnedPositions = traits.learnsPositions ? positions : nil

        let isGranite = family == .granite
        func multiplier(_ key: String) throws(LanguageModelError) -> Float {
            isGranite ? try Self.factor(document, key, default: 1) : 1
        }
        embeddingScale =
            traits.scalesEmbeddings ? Float(dModel).squareRoot() : try multiplier("embedding_multiplier")
        residualScale = try multiplier("residual_multiplier")
        logitScale = 1 / (try multiplier("logits_scaling"))
        var limit: Float?
        if family == .olmo, document.value("clip_qkv") != nil {
            limit = Float(try document.positiveNumber("clip_qkv"))
        }
        projectionLimit = limit
        scoreCap = try Self.cap(document, "attn_logit_softcapping", family: family, default: 50)
        logitCap = try Self.cap(document, "final_logit_softcapping", family: family, default: 30)

        let windows = try Self.windows(document, traits: traits, layerCount: layerCount)
        let turns = try Self.turns(document, family: family, layerCount: layerCount)
        rotaries = try Self.rotaries(
            document, traits: traits, headDimension: headDimension, positions: positions)
        let scales = try Self.scoreScales(
            document, family: family, headDimension: headDimension, layerCount: layerCount)
        let count = rotaries.count
        layers = (0..<layerCount).map { layer in
            let rotary = count == 0 || !turns[layer] ? nil : count == 2 && windows[layer] == nil ? 1 : 0
            return DecoderLayer(window: windows[layer], rotary: rotary, scoreScale: scales[layer])
        }
        maximumPositions = rotaries.reduce(positions) { max($0, $1.longestSequence) }

        func tokens(_ key: String) throws(LanguageModelError) -> [TokenID] {
            try (document.mentions(key) ? document : file).tokens(key)
        }
        beginOfSequence = try tokens("bos_token_id").first
        endOfSequence = try tokens("eos_token_id")
        // transformers 5 renamed the key.
        let typed = [document, file].first { $0.mentions("dtype") || $0.mentions("torch_dtype") } ?? file
        storedType = try typed.text(typed.mentions("dtype") ? "dtype" : "torch_dtype")
    }

    private static func keyValueHeads(
        _ document: ConfigurationDocument, traits: FamilyTraits, queryHeads: Int
    ) throws(LanguageModelError) -> Int {
        guard traits.groupsHeads else { return queryHeads }
        let key = "num_key_value_heads"
        // Null means one for each query head; what a missing key means depends on the family.
        let fallback = document.mentions(key) ? queryHeads : traits.sizes.keyValueHeads ?? queryHeads
        let heads = try document.integer(key, in: 1...4096, default: fallback)
        guard queryHeads % heads == 0 else {
            throw document.malformed(key, expected: "a divisor of num_attention_heads (\(queryHeads))")
        }
        return heads
    }

    private static func headDimension(
        _ document: ConfigurationDocument, traits: FamilyTraits, dModel: Int, queryHeads: Int
    ) throws(LanguageModelError) -> Int {
        let key = "head_dim"
        let dimension: Int
        if traits.namesHeadDimension, document.value(key) != nil {
            dimension = try document.integer(key, in: 1...16_384)
        } else if let usual = traits.sizes.headDimension, !document.mentions(key) {
            dimension = usual
        } else {
            guard dModel % queryHeads == 0 else {
                let reason = traits.namesHeadDimension ? ", as there is no head_dim" : ""
                throw document.malformed(
                    traits.keys.width, expected: "a multiple of \(traits.keys.heads) (\(queryHeads))\(reason)")
            }
            dimension = dModel / queryHeads
        }
        if dimension % 2 != 0, traits.turnsWholeHeads {
            let named = traits.namesHeadDimension && document.value(key) != nil ? key : traits.keys.width
            throw document.malformed(
                named, expected: "heads of an even number of elements (it came to \(dimension)): RoPE turns pairs")
        }
        // Far beyond any model; keeps buffer sizes from overflowing.
        guard queryHeads * dimension <= 1_048_576 else {
            throw document.malformed(key, expected: "at most 1048576 divided by num_attention_heads (\(queryHeads))")
        }
        return dimension
    }

    private static func activation(
        _ document: ConfigurationDocument, traits: FamilyTraits
    ) throws(LanguageModelError) -> FeedForwardActivation {
        guard let name = try document.text(traits.keys.activation) else { return traits.activation }
        guard let found = FeedForwardActivation.allCases.first(where: { $0.names.contains(name) }) else {
            throw document.unsupported(
                traits.keys.activation,
                supported: FeedForwardActivation.allCases.flatMap(\.names).joined(separator: ", "))
        }
        return traits.readsGeluAsTanh && found == .gelu ? .geluTanh : found
    }

    /// Refuses settings that call for another computation.
    private static func refuseUnsupported(
        _ document: ConfigurationDocument, family: ModelFamily
    ) throws(LanguageModelError) {
        let unwanted: [String] =
            switch family {
            case .gpt2: ["add_cross_attention"]
            case .gemma, .gemma2, .gemma3: ["use_bidirectional_attention"]
            case .phi, .stablelm: ["qk_layernorm"]
            case .llama, .mistral, .qwen2, .qwen3, .gptNeo, .gptJ, .gptNeoX, .phi3, .olmo, .olmo2, .starcoder2,
                .smollm3, .granite:
                []
            }
        guard try document.flag("is_causal", default: true) else {
            throw document.unsupported("is_causal", supported: "true")
        }
        for key in unwanted where try document.flag(key, default: false) {
            throw document.unsupported(key, supported: "false")
        }
    }

    /// A soft cap: only Gemma 2 has one by default, and only the later Gemmas read the key.
    private static func cap(
        _ document: ConfigurationDocument, _ key: String, family: ModelFamily, default usual: Double
    ) throws(LanguageModelError) -> Float? {
        guard family == .gemma2 || family == .gemma3 else { return nil }
        if document.value(key) == nil { return family == .gemma2 && !document.mentions(key) ? Float(usual) : nil }
        return try factor(document, key)
    }

    /// A number above zero whose reciprocal is one as well.
    private static func factor(
        _ document: ConfigurationDocument, _ key: String, default usual: Double? = nil
    ) throws(LanguageModelError) -> Float {
        let factor = Float(try document.positiveNumber(key, default: usual))
        guard (1 / factor).isFinite else { throw document.malformed(key, expected: "a number that can be divided by") }
        return factor
    }
}

extension FamilyTraits.BiasRule {
    /// Whether the part has biases.
    fileprivate func value(_ document: ConfigurationDocument) throws(LanguageModelError) -> Bool {
        switch self {
        case .never: false
        case .always: true
        case .key(let key, let usual): try document.flag(key, default: usual)
        }
    }
}
