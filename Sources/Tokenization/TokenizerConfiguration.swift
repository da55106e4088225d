/// Special tokens and chat templates from the files beside a `tokenizer.json`. Everything in it is optional.
///
/// `add_bos_token` and `add_eos_token` have no effect, as in transformers 5 with a `tokenizer.json`: the special tokens
/// around a text come from its post-processor.
struct TokenizerConfiguration {
    var bosToken: TokenID?
    var eosToken: TokenID?
    var padToken: TokenID?
    var chatTemplate: String?
    /// By their keys.
    var specialTokenNames: [String: String] = [:]
    /// Whether names of special tokens in a text are ordinary text (`split_special_tokens`).
    var splitsSpecialTokens = false

    /// - Throws: `.malformed`.
    init(files: TokenizerFiles, vocabulary: TokenVocabulary) throws(TokenizerError) {
        for (key, element) in files.specialTokens.standard {
            let name = try AddedTokenEntry(named: element).content
            specialTokenNames[key] = name
            let id = vocabulary.id(of: name)
            switch key {
            case "bos_token": bosToken = id
            case "eos_token": eosToken = id
            case "pad_token": padToken = id
            default: break
            }
        }
        guard let configuration = files.configuration else { return }
        chatTemplate = try Self.chatTemplate(of: configuration)
        splitsSpecialTokens = try configuration.flag("split_special_tokens", absent: false)
    }

    /// The template itself, or the one named `default` of several.
    private static func chatTemplate(of element: JSONElement) throws(TokenizerError) -> String? {
        guard let member = try element.member("chat_template") else { return nil }
        if let template = member.stringIfAny { return template }
        for choice in try member.elements() where try choice.required("name").string() == "default" {
            return try choice.required("template").string()
        }
        return nil
    }
}
