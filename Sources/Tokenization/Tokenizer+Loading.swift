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
        try Self.checkKind(of: document)
        var vocabulary = try TokenVocabulary(document: document)
        let gathered = try AddedTokenList(files: files, vocabulary: vocabulary)
        let addedTokens = gathered.tokens
        try vocabulary.add(addedTokens, document: document)
        model = try BytePairModel(document: document.required("model"), vocabulary: vocabulary)
        normalizer = try TextNormalizer(element: document.member("normalizer"))
        preTokenizer = try PreTokenizer(document: document)
        guard preTokenizer.isByteLevel else {
            throw .unsupported(
                path: document.file, element: "pre_tokenizer", found: "without ByteLevel", supported: "ByteLevel")
        }
        try Self.checkDecoder(of: document)

        let settings = try TokenizerConfiguration(files: files, vocabulary: vocabulary)
        let normalizer = normalizer
        splitTokens = settings.splitsSpecialTokens ? gathered.specialNames : []
        verbatimTokens = AddedTokenMatcher(
            addedTokens.filter { !$0.isNormalized }.map { ($0, $0.content) }, skipping: splitTokens)
        normalizedTokens = AddedTokenMatcher(
            addedTokens.filter(\.isNormalized).map { ($0, normalizer.normalized($0.content)) },
            skipping: splitTokens)
        self.addedTokens = Dictionary(uniqueKeysWithValues: addedTokens.map { ($0.id, $0) })
        unknownTokenID = model.unknownToken
        tokenBytes = TokenBytes(vocabulary.bytes)

        template = try SpecialTokenTemplate(element: document.member("post_processor"), vocabulary: vocabulary)
        bosTokenID = template.prefix.first ?? settings.bosToken
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

    /// Recognises SentencePiece and other kinds of vocabulary by name, for a clearer error.
    private static func checkKind(of document: JSONElement) throws(TokenizerError) {
        let supported = "byte-level BPE, as GPT-2, Llama 3, Qwen and Mistral NeMo have it"
        let model = try document.required("model")
        let type = try model.member("type")
        switch type?.stringIfAny {
        case "Unigram"?:
            throw type?.unsupported("SentencePiece (Unigram)", supported: supported) ?? document.malformed("")
        case "BPE"?, nil: break
        case let name?: throw type?.unsupported(name.quoted, supported: supported) ?? document.malformed("")
        }
        if let fallback = try model.member("byte_fallback"), try model.flag("byte_fallback", absent: false) {
            throw fallback.unsupported("true (SentencePiece turned into BPE)", supported: supported)
        }
        for (key, parts) in [("pre_tokenizer", "pretokenizers"), ("normalizer", "normalizers")] {
            for part in try document.member(key)?.sequence(of: parts) ?? [] {
                let type = try part.required("type").string()
                guard ["Metaspace", "Prepend", "Precompiled"].contains(type) else { continue }
                throw part.unsupported("\(type) (SentencePiece)", supported: supported)
            }
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
