/// What a name of a hook point, or of a module, says about the decoder layer whose output a dictionary reads.
///
/// The residual stream that leaves decoder layer L is our layer L. TransformerLens calls it `blocks.L.hook_resid_post`,
/// or `blocks.(L + 1).hook_resid_pre`; in transformers it is the output of the module `model.layers.L`.
enum HookPoint: Equatable {
    /// The residual stream that leaves this decoder layer.
    case layer(Int)
    /// A place that has no counterpart here; the phrase says what it is.
    case elsewhere(String)
    /// A name that is none of those known.
    case unknown

    /// The largest layer number that a name can have.
    private static let largestLayer = 99_999

    /// Names of modules in front of a model's list of decoder layers.
    private static let containers: Set<Substring> = [
        "model", "transformer", "gpt_neox", "language_model", "text_model", "base_model", "decoder",
    ]

    /// Names of a model's list of decoder layers.
    private static let lists: Set<Substring> = ["layers", "h"]

    /// Reads a name.
    init(_ name: String) {
        self = Self.byTransformerLens(name) ?? Self.byModule(name) ?? Self.byLabel(name) ?? .unknown
    }

    /// `blocks.L.hook_…`.
    private static func byTransformerLens(_ name: String) -> HookPoint? {
        if name == "hook_embed" || name == "hook_pos_embed" { return .elsewhere("the embedding") }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0] == "blocks", let layer = number(parts[1]) else { return nil }
        switch parts[2...].joined(separator: ".") {
        case "hook_resid_post": return .layer(layer)
        case "hook_resid_pre": return before(layer)
        case "hook_resid_mid": return .elsewhere("the residual stream between attention and MLP")
        case let inner where inner.contains("attn") || inner.hasSuffix("_z"):
            return .elsewhere("the attention of a layer")
        case let inner where inner.contains("mlp"): return .elsewhere("the MLP of a layer")
        default: return .elsewhere("a place inside a layer")
        }
    }

    /// `model.layers.L`, with `.output` or `.input` or without.
    private static func byModule(_ name: String) -> HookPoint? {
        var parts = name.split(separator: ".", omittingEmptySubsequences: false)
        if parts.last == "embed_tokens" || parts.last == "wte" || parts.last == "embed_in" {
            return .elsewhere("the embedding")
        }
        while let first = parts.first, containers.contains(first) { parts.removeFirst() }
        guard parts.count >= 2, lists.contains(parts[0]), let layer = number(parts[1]) else { return nil }
        guard parts.count > 2 else { return .layer(layer) }
        switch parts.dropFirst(2).joined(separator: ".") {
        case "output": return .layer(layer)
        case "input": return before(layer)
        case let inner where inner.contains("mlp"): return .elsewhere("the MLP of a layer")
        case let inner where inner.contains("attn") || inner.contains("attention"):
            return .elsewhere("the attention of a layer")
        default: return .elsewhere("a module inside a layer")
        }
    }

    /// `resid_post_layer_L` and the like, as dictionary_learning's scripts name submodules.
    private static func byLabel(_ name: String) -> HookPoint? {
        if let layer = number(after: "resid_post_layer_", in: name) { return .layer(layer) }
        if let layer = number(after: "resid_pre_layer_", in: name) { return before(layer) }
        let words = Set(name.lowercased().split { !$0.isLetter })
        if !words.isDisjoint(with: ["mlp", "transcoder"]) { return .elsewhere("the MLP of a layer") }
        if !words.isDisjoint(with: ["attn", "att", "attention"]) { return .elsewhere("the attention of a layer") }
        if !words.isDisjoint(with: ["embed", "embedding", "embeddings"]) { return .elsewhere("the embedding") }
        return nil
    }

    /// The stream that enters a layer is the output of the one before it.
    private static func before(_ layer: Int) -> HookPoint {
        layer == 0 ? .elsewhere("the embedding, which enters layer 0") : .layer(layer - 1)
    }

    /// The layer number behind a prefix, if nothing else follows.
    static func number(after prefix: String, in name: String) -> Int? {
        name.hasPrefix(prefix) ? number(name.dropFirst(prefix.count)) : nil
    }

    /// A layer number in decimal digits.
    static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 5, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(text), number <= largestLayer
        else { return nil }
        return number
    }
}
