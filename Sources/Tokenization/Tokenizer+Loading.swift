internal import Foundation

extension Tokenizer {
    /// Loads the tokenizer of a model's directory: `tokenizer.json`, and `tokenizer_config.json` and `chat_template.jinja`
    /// if they are there.
    ///
    /// The second gives the names of the special tokens and the chat template. If it has `add_bos_token` or
    /// `add_eos_token`, these take the place of the template in the first, as in `transformers`. The third has a chat
    /// template that takes the place of the second's.
    ///
    /// - Throws: `TokenizerError`.
    public init(directory: String) throws {
        let configuration = directory + "/tokenizer_config.json"
        try self.init(
            document: JSONElement(file: directory + "/tokenizer.json"),
            configuration: FileManager.default.fileExists(atPath: configuration)
                ? JSONElement(file: configuration) : nil,
            chatTemplate: Self.chatTemplateFile(of: directory)
        )
    }

    /// The file that a chat template has to itself.
    public static let chatTemplateFileName = "chat_template.jinja"

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
    public init(file: String) throws {
        try self.init(document: JSONElement(file: file), configuration: nil)
    }

    private init(
        document: JSONElement, configuration: JSONElement?, chatTemplate ownChatTemplate: String? = nil
    ) throws(TokenizerError) {
        let addedTokens = try AddedToken.load(from: document)
        let vocabulary = try TokenVocabulary(document: document, addedTokens: addedTokens)
        model = try BytePairModel(document: document.required("model"), vocabulary: vocabulary)
        normalizer = try TextNormalizer(element: document.member("normalizer"))
        preTokenizer = try PreTokenizer(document: document)
        try Self.checkDecoder(of: document)

        let normalizer = normalizer
        verbatimTokens = AddedTokenMatcher(addedTokens.filter { !$0.isNormalized }.map { ($0, $0.content) })
        normalizedTokens = AddedTokenMatcher(
            addedTokens.filter(\.isNormalized).map { ($0, normalizer.normalized($0.content)) }
        )
        self.addedTokens = Dictionary(uniqueKeysWithValues: addedTokens.map { ($0.id, $0) })
        unknownTokenID = model.unknownToken
        tokenBytes = TokenBytes(vocabulary.bytes)

        let settings = try TokenizerConfiguration(element: configuration, vocabulary: vocabulary)
        let ownTemplate = try SpecialTokenTemplate(element: document.member("post_processor"), vocabulary: vocabulary)
        template = settings.template ?? ownTemplate
        bosTokenID = settings.bosToken ?? ownTemplate.prefix.first
        eosTokenID = settings.eosToken
        padTokenID = settings.padToken
        chatTemplate = ownChatTemplate ?? settings.chatTemplate
        specialTokenNames = settings.specialTokenNames
    }

    private static func checkDecoder(of document: JSONElement) throws(TokenizerError) {
        guard let decoder = try document.member("decoder") else {
            throw .unsupported(path: document.file, element: "decoder", found: "null", supported: "ByteLevel")
        }
        for step in try decoder.sequence(of: "decoders") {
            let type = try step.required("type").string()
            guard type == "ByteLevel" else { throw step.unsupported(type, supported: "ByteLevel") }
        }
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
