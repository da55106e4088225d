/// The special tokens that `tokenizer_config.json` and `special_tokens_map.json` name, each a string or an object with the
/// name as its `content`.
struct SpecialTokenNames {
    /// The keys that transformers knows, in its order (`SPECIAL_TOKENS_ATTRIBUTES`, tokenization_utils_base.py); they are
    /// also what chat templates are handed.
    static let standardKeys = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]

    /// The tokens of the standard keys by key.
    private(set) var standard: [String: JSONElement] = [:]
    /// Names in `standard` and `further` that make a token of `added_tokens.json` special for transformers: not
    /// those that `tokenizer_config.json` describes.
    private(set) var plain: Set<[UInt8]> = []
    /// Tokens under a key of a model's own, such as `image_token`, in the order in which they are added.
    private var own: [(key: String, token: JSONElement)] = []
    /// Tokens without a key.
    private(set) var further: [JSONElement] = []

    /// The tokens that have a key, in the order in which they are added.
    var named: [JSONElement] {
        Self.standardKeys.compactMap { standard[$0] } + own.map(\.token)
    }

    init() {}

    /// - Parameters:
    ///   - configuration: `tokenizer_config.json`.
    ///   - map: `special_tokens_map.json`, which counts for more where it has a key.
    /// - Throws: `.malformed`.
    init(configuration: JSONElement?, map: JSONElement?) throws(TokenizerError) {
        var described: [(key: String, token: JSONElement)] = []
        var texts: [(key: String, token: JSONElement)] = []
        var lists: [String: JSONElement] = [:]
        for (key, element) in try configuration?.memberElements() ?? [] {
            if Self.standardKeys.contains(key) {
                standard[key] = element
            } else if Self.listKeys.contains(key) {
                lists[key] = element
            } else if key.hasSuffix("_token"), element.stringIfAny != nil {
                texts.append((key, element))
            } else if key.hasSuffix("_token"), try Self.isToken(element) {
                described.append((key, element))
            }
        }
        for (key, element) in try map?.memberElements() ?? [] {
            if Self.standardKeys.contains(key) {
                standard[key] = element
            } else if Self.listKeys.contains(key) {
                lists[key] = element
            } else if key.hasSuffix("_token"), element.stringIfAny != nil || element.isObject {
                described.removeAll { $0.key == key }
                described.append((key, element))
            }
        }
        // The older name counts where the newer has nothing.
        for key in Self.listKeys {
            guard let list = lists[key] else { continue }
            if list.isObject {
                texts += try list.memberElements().map { ($0.name, $0.value) }
                continue
            }

            let tokens = try list.elements()
            guard !tokens.isEmpty else { continue }
            further = tokens
            break
        }
        own = described + texts
        for (key, element) in standard {
            let isOfMap = try map?.member(key) != nil
            if isOfMap || element.stringIfAny != nil {
                plain.insert(try AddedTokenEntry(named: element).content.tokenKey)
            }
        }
        plain.formUnion(further.compactMap { $0.stringIfAny?.tokenKey })
    }

    private static let listKeys = ["extra_special_tokens", "additional_special_tokens"]

    private static func isToken(_ element: JSONElement) throws(TokenizerError) -> Bool {
        guard element.isObject else { return false }
        return try element.member("content") != nil
    }
}
