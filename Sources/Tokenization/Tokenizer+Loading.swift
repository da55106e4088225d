internal import Foundation

extension Tokenizer {
    /// Loads the tokenizer of a model's directory: `tokenizer.json`, and what stands beside it.
    ///
    /// As in transformers 5, `tokenizer_config.json`, `added_tokens.json` and `special_tokens_map.json` add tokens and
    /// change flags of those of `tokenizer.json`; the special tokens around a text are those of the post-processor of
    /// `tokenizer.json`. `chat_template.jinja` takes precedence over the chat template of `tokenizer_config.json`.
    ///
    /// - Throws: `TokenizerError`.
    package init(directory: String) throws {
        try self.init(files: TokenizerFiles(directory: directory), chatTemplate: Self.chatTemplateFile(of: directory))
    }

    /// The separate file of a chat template.
    package static let chatTemplateFileName = "chat_template.jinja"

    private static func chatTemplateFile(of directory: String) throws(TokenizerError) -> String? {
        let path = directory + "/" + chatTemplateFileName
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw .unreadable(path: path, reason: "the system does not let it be read")
        }
        guard let template = String(validating: bytes, as: UTF8.self) else {
            throw .malformed(path: path, element: "the template", reason: "it is not UTF-8")
        }
        return template
    }

    /// Loads a `tokenizer.json` on its own.
    ///
    /// - Throws: `TokenizerError`.
    package init(file: String) throws {
        try self.init(files: TokenizerFiles(file: file), chatTemplate: nil)
    }

    private init(files: TokenizerFiles, chatTemplate ownChatTemplate: String?) throws(TokenizerError) {
        let document = files.document
        var vocabulary = try TokenVocabulary(document: document)
        let gathered = try AddedTokenList(files: files, vocabulary: vocabulary)
        let addedTokens = gathered.tokens
        try vocabulary.add(addedTokens, document: document)
        normalizer = try TextNormalizer(element: document.member("normalizer"))
        preTokenizer = try PreTokenizer(document: document)
        decoder = try TokenDecoder(element: document.member("decoder"))
        model = try TokenModel(
            document: document, vocabulary: vocabulary, addedTokens: addedTokens,
            isByteLevel: preTokenizer.isByteLevel)

        let settings = try TokenizerConfiguration(files: files, vocabulary: vocabulary)
        let normalizer = normalizer
        splitTokens = settings.splitsSpecialTokens ? gathered.specialNames : []
        verbatimTokens = AddedTokenMatcher(
            addedTokens.filter { !$0.isNormalized }.map { ($0, $0.content.tokenKey) }, skipping: splitTokens)
        normalizedTokens = AddedTokenMatcher(
            addedTokens.filter(\.isNormalized).map { ($0, normalizer.normalized($0.content)) },
            skipping: splitTokens)
        self.addedTokens = Dictionary(uniqueKeysWithValues: addedTokens.map { ($0.id, $0) })
        unknownTokenID = model.unknownToken
        let decoder = decoder
        var names = vocabulary.names
        for token in addedTokens where token.isNormalized { names[token.id] = normalizer.normalized(token.content) }
        let special = Set(addedTokens.filter(\.isSpecial).map(\.content.tokenKey))
        skippedTokens = Set(addedTokens.map(\.id).filter { names[$0].map(special.contains) ?? false })
        tokenNames = TokenBytes(names)
        joinsBytes = decoder.isByteLevel && names == vocabulary.names
        tokenBytes = TokenBytes(vocabulary.names.mapValues { decoder.bytes(of: $0) })

        template = try SpecialTokenTemplate(element: document.member("post_processor"), vocabulary: vocabulary)
        bosTokenID = template.prefix.first ?? settings.bosToken
        eosTokenID = settings.eosToken
        padTokenID = settings.padToken
        chatTemplate = ownChatTemplate ?? settings.chatTemplate
        specialTokenNames = settings.specialTokenNames
    }
}

extension JSONElement {
    /// The parts of a component of type `Sequence`, in order and at any depth, or the component itself.
    func sequence(of key: String) throws(TokenizerError) -> [JSONElement] {
        guard try required("type").string() == "Sequence" else { return [self] }
        var parts: [JSONElement] = []
        for part in try required(key).elements() { parts += try part.sequence(of: key) }
        return parts
    }
}
