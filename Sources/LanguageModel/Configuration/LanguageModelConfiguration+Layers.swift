import JSON

extension LanguageModelConfiguration {
    /// The window of every layer.
    static func windows(
        _ document: ConfigurationDocument, traits: FamilyTraits, layerCount: Int
    ) throws(LanguageModelError) -> [Int?] {
        let all = [Int?](repeating: nil, count: layerCount)
        let sizes = 1...Int(Int32.max)
        switch traits.windows {
        case .never:
            guard try !layerTypes(document, layerCount: layerCount).contains(true) else {
                throw document.unsupported("layer_types", supported: "full_attention in such a model")
            }
            return all
        case .always(let usual):
            // Null turns the window off; a missing key has a default in some families.
            if document.value("sliding_window") == nil, usual == nil || document.mentions("sliding_window") {
                return all
            }
            guard try !layerTypes(document, layerCount: layerCount).contains(false) else {
                throw document.unsupported("layer_types", supported: "sliding_attention in such a model")
            }

            let window = try document.integer("sliding_window", in: sizes, default: usual)
            return all.map { _ in window }
        case .ifUsed:
            return try windowsIfUsed(document, layerCount: layerCount)
        case .allButEvery(let usual, let patternKey, let usualWindow):
            let types = try layerTypes(document, layerCount: layerCount)
            if document.mentions("sliding_window"), document.value("sliding_window") == nil {
                throw document.malformed("sliding_window", expected: "a number")
            }
            let window = try document.integer("sliding_window", in: sizes, default: usualWindow)
            guard types.isEmpty else { return types.map { $0 ? window : nil } }
            let every =
                try patternKey.map { key throws(LanguageModelError) in
                    try document.integer(key, in: 1...Int(Int32.max), default: usual)
                } ?? usual
            return all.indices.map { ($0 + 1) % every == 0 ? nil : window }
        case .attentionTypes:
            let window = try document.integer("window_size", in: sizes, default: 256)
            return try attentionTypes(document, layerCount: layerCount).map { $0 ? window : nil }
        case .withoutPositions:
            guard try document.flag("use_sliding_window", default: false), document.value("sliding_window") != nil
            else {
                guard try !layerTypes(document, layerCount: layerCount).contains(true) else {
                    throw document.malformed(
                        "layer_types", expected: "full_attention only, as use_sliding_window is not true")
                }
                return all
            }
            let window = try document.integer("sliding_window", in: sizes)
            let types = try layerTypes(document, layerCount: layerCount)
            guard types.isEmpty else { return types.map { $0 ? window : nil } }
            return try turns(document, family: .smollm3, layerCount: layerCount).map { $0 ? nil : window }
        }
    }

    private static func windowsIfUsed(
        _ document: ConfigurationDocument, layerCount: Int
    ) throws(LanguageModelError) -> [Int?] {
        let all = [Int?](repeating: nil, count: layerCount)
        let types = try layerTypes(document, layerCount: layerCount)
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

    /// For every layer whether it has a window; empty if the key is missing.
    private static func layerTypes(
        _ document: ConfigurationDocument, layerCount: Int
    ) throws(LanguageModelError) -> [Bool] {
        guard let types = try document.texts("layer_types") else { return [] }
        guard types.count == layerCount else {
            throw document.malformed("layer_types", expected: "one for each of the \(layerCount) layers")
        }
        if let other = types.first(where: { $0 != "sliding_attention" && $0 != "full_attention" }) {
            throw document.unsupported(
                "layer_types", found: other, supported: "full_attention, sliding_attention")
        }
        return types.map { $0 == "sliding_attention" }
    }

    /// GPT-Neo's list: pairs of a list of kinds and how often it repeats.
    private static func attentionTypes(
        _ document: ConfigurationDocument, layerCount: Int
    ) throws(LanguageModelError) -> [Bool] {
        let key = "attention_types"
        let expected = "pairs of a list of \"global\" and \"local\" and a count, \(layerCount) layers in all"
        guard let value = document.value(key) else {
            guard layerCount == 24 else { throw document.malformed(key, expected: expected) }
            return (0..<24).map { $0 % 2 == 1 }
        }
        guard case .array(let pairs) = value else { throw document.malformed(key, expected: expected) }
        var isLocal: [Bool] = []
        for pair in pairs {
            guard case .array(let parts) = pair, parts.count == 2, case .array(let kinds) = parts[0],
                let count = parts[1].wholeNumber, (0...layerCount).contains(count)
            else { throw document.malformed(key, expected: expected) }
            for _ in 0..<count {
                guard isLocal.count + kinds.count <= layerCount else {
                    throw document.malformed(key, expected: expected)
                }
                for kind in kinds {
                    guard case .string(let name) = kind, name == "global" || name == "local" else {
                        throw document.malformed(key, expected: expected)
                    }
                    isLocal.append(name == "local")
                }
            }
        }
        guard isLocal.count == layerCount else { throw document.malformed(key, expected: expected) }
        return isLocal
    }

    /// For every layer whether queries and keys are turned by their positions.
    static func turns(
        _ document: ConfigurationDocument, family: ModelFamily, layerCount: Int
    ) throws(LanguageModelError) -> [Bool] {
        guard family == .smollm3 else { return [Bool](repeating: true, count: layerCount) }
        let key = "no_rope_layers"
        guard let value = document.value(key) else {
            let every = try document.integer("no_rope_layer_interval", in: 1...Int(Int32.max), default: 4)
            return (1...layerCount).map { $0 % every != 0 }
        }
        let expected = "a list of 0 and 1, one for each of the \(layerCount) layers"
        guard case .array(let flags) = value, flags.count == layerCount else {
            throw document.malformed(key, expected: expected)
        }
        var turns: [Bool] = []
        for flag in flags {
            switch flag.wholeNumber {
            case 0?: turns.append(false)
            case 1?: turns.append(true)
            default: throw document.malformed(key, expected: expected)
            }
        }
        return turns
    }

    /// The factor of the products of queries and keys in every layer.
    static func scoreScales(
        _ document: ConfigurationDocument, family: ModelFamily, headDimension: Int, layerCount: Int
    ) throws(LanguageModelError) -> [Float] {
        let usual = 1 / Float(headDimension).squareRoot()
        switch family {
        case .gpt2:
            let scale = try document.flag("scale_attn_weights", default: true) ? usual : 1
            let isByLayer = try document.flag("scale_attn_by_inverse_layer_idx", default: false)
            return (0..<layerCount).map { isByLayer ? scale / Float($0 + 1) : scale }
        case .gemma2, .gemma3:
            let scalar = try document.positiveNumber("query_pre_attn_scalar", default: 256)
            return [Float](repeating: Float(1 / scalar.squareRoot()), count: layerCount)
        case .granite:
            let scale = Float(try document.positiveNumber("attention_multiplier", default: 1))
            return [Float](repeating: scale, count: layerCount)
        case .llama, .mistral, .qwen2, .qwen3, .gptNeo, .gptJ, .gptNeoX, .phi, .phi3, .gemma, .olmo, .olmo2, .stablelm,
            .starcoder2, .smollm3:
            return [Float](repeating: family.traits.scalesScores ? usual : 1, count: layerCount)
        }
    }
}
