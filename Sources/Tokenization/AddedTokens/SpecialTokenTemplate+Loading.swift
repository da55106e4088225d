extension SpecialTokenTemplate {
    /// Loads the `post_processor` of a `tokenizer.json`, if there is one.
    ///
    /// - Throws: `.unsupported`, or `.malformed` for tokens that are not in the vocabulary.
    init(element: JSONElement?, vocabulary: TokenVocabulary) throws(TokenizerError) {
        self.init()
        guard let element else { return }
        for part in try element.sequence(of: "processors") {
            switch try part.required("type").string() {
            case "ByteLevel":
                // Changes reported offsets of tokens, not the tokens.
                break
            case "TemplateProcessing":
                let inner = try Self.loadTemplate(part, vocabulary: vocabulary)
                prefix = inner.prefix + prefix
                suffix += inner.suffix
            case "BertProcessing", "RobertaProcessing":
                prefix.insert(try Self.loadToken(part.required("cls"), vocabulary: vocabulary), at: 0)
                suffix.append(try Self.loadToken(part.required("sep"), vocabulary: vocabulary))
            case let type:
                throw part.unsupported(
                    type,
                    supported: "TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel, or a Sequence of them"
                )
            }
        }
    }

    private static func loadTemplate(
        _ element: JSONElement, vocabulary: TokenVocabulary
    ) throws(TokenizerError) -> SpecialTokenTemplate {
        let single = try element.required("single")
        let specialTokens = try element.member("special_tokens")
        var template = SpecialTokenTemplate()
        var hasText = false
        for part in try single.elements() {
            if let text = try part.member("Sequence") {
                let name = try text.required("id").string()
                guard name == "A", !hasText else {
                    throw part.unsupported("sequence \(name)", supported: "sequence A, once")
                }
                hasText = true
                continue
            }

            let token = try part.required("SpecialToken").required("id")
            guard let definition = try specialTokens?.member(token.string()) else {
                throw token.malformed("\"\(try token.string())\" is not among the special_tokens")
            }
            for element in try definition.required("ids").elements() {
                let id = try checkedID(element, vocabulary: vocabulary)
                if hasText { template.suffix.append(id) } else { template.prefix.append(id) }
            }
        }
        guard hasText else { throw single.malformed("it has no place for the text") }
        return template
    }

    /// A token given as a pair of its name and its id.
    private static func loadToken(_ element: JSONElement, vocabulary: TokenVocabulary) throws(TokenizerError) -> TokenID
    {
        let pair = try element.elements()
        guard pair.count == 2 else { throw element.malformed("it is not a pair of a token and its id") }
        return try checkedID(pair[1], vocabulary: vocabulary)
    }

    private static func checkedID(_ element: JSONElement, vocabulary: TokenVocabulary) throws(TokenizerError) -> TokenID
    {
        let id = try element.tokenID()
        guard vocabulary.contains(id) else { throw element.malformed("the vocabulary has no token \(id)") }
        return id
    }
}
