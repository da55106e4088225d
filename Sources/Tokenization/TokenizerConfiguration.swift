/// What a `tokenizer_config.json` adds to a `tokenizer.json`. Everything in it is optional.
struct TokenizerConfiguration {
    var bosToken: TokenID?
    var eosToken: TokenID?
    var padToken: TokenID?
    var chatTemplate: String?
    /// By their keys.
    var specialTokenNames: [String: String] = [:]
    /// Takes the place of the tokenizer's own if there is one.
    var template: SpecialTokenTemplate?

    /// - Parameter element: the document, nil if there is none.
    /// - Throws: `.malformed`, also if a token is to be added that is not in the vocabulary.
    init(element: JSONElement?, vocabulary: TokenVocabulary) throws(TokenizerError) {
        guard let element else { return }
        bosToken = try Self.token("bos_token", of: element, vocabulary: vocabulary)
        eosToken = try Self.token("eos_token", of: element, vocabulary: vocabulary)
        padToken = try Self.token("pad_token", of: element, vocabulary: vocabulary)
        chatTemplate = try Self.chatTemplate(of: element)
        for key in Self.specialTokenKeys { specialTokenNames[key] = try Self.tokenName(key, of: element) }
        let addsBOS = try element.member("add_bos_token")
        let addsEOS = try element.member("add_eos_token")
        if addsBOS != nil || addsEOS != nil {
            var template = SpecialTokenTemplate()
            if try element.flag("add_bos_token", absent: false) {
                guard let bosToken else { throw element.malformed("add_bos_token is set and no bos_token is known") }
                template.prefix = [bosToken]
            }
            if try element.flag("add_eos_token", absent: false) {
                guard let eosToken else { throw element.malformed("add_eos_token is set and no eos_token is known") }
                template.suffix = [eosToken]
            }
            self.template = template
        }
    }

    /// A token given by its name, or by an object with the name as its content.
    private static func token(
        _ key: String, of element: JSONElement, vocabulary: TokenVocabulary
    ) throws(TokenizerError) -> TokenID? {
        try tokenName(key, of: element).flatMap { vocabulary.id(of: $0) }
    }

    /// What transformers hands to chat templates (`special_tokens_map`, tokenization_utils_base.py).
    private static let specialTokenKeys = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]

    private static func tokenName(_ key: String, of element: JSONElement) throws(TokenizerError) -> String? {
        guard let member = try element.member(key) else { return nil }
        if let name = member.stringIfAny { return name }
        return try member.required("content").string()
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
