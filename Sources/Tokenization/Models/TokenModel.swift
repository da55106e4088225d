/// What turns pieces of text into tokens.
enum TokenModel: Sendable {
    /// A byte-pair encoding over bytes.
    case bytePairs(BytePairModel)
    /// A byte-pair encoding over characters.
    case characterPairs(CharacterPairModel)
    /// A unigram language model.
    case unigram(UnigramModel)
    /// Whole words and their parts.
    case words(WordModel)

    /// Whether a token is the model's own, rather than an added one.
    func isToken(_ name: ArraySlice<UInt8>, _ id: TokenID) -> Bool {
        switch self {
        case .bytePairs(let model): name.withUnsafeBufferPointer { model.vocabulary.id(of: $0) == id }
        case .characterPairs(let model): name.withUnsafeBufferPointer { model.vocabulary.id(of: $0) == id }
        case .unigram(let model): model.trie.value(of: name) == id
        case .words(let model): model.words.value(of: name) == id
        }
    }

    /// The token for what has no token; without it that is dropped.
    var unknownToken: TokenID? {
        switch self {
        case .bytePairs(let model): model.unknownToken
        case .characterPairs(let model): model.unknownToken
        case .unigram(let model): model.unknownToken
        case .words(let model): model.unknownToken
        }
    }
}

extension TokenModel {
    /// Loads the `model` of a `tokenizer.json`.
    ///
    /// - Parameter isByteLevel: whether pieces are bytes rather than text.
    /// - Throws: `.unsupported`, `.malformed`.
    init(
        document: JSONElement, vocabulary: TokenVocabulary, addedTokens: [AddedToken], isByteLevel: Bool
    ) throws(TokenizerError) {
        let model = try document.required("model")
        let type = try model.member("type")
        // Files of early versions do not give a type; what has scores is a unigram model.
        let isScored = try model.required("vocab").isArray
        let name = try type?.string() ?? (isScored ? "Unigram" : "BPE")
        if isByteLevel, name != "BPE" {
            throw (type ?? model).unsupported("\(name) over bytes", supported: "BPE with the pre-tokenizer ByteLevel")
        }
        if ["BPE", "Unigram", "WordPiece", "WordLevel"].contains(name), isScored != (name == "Unigram") {
            throw try model.required("vocab").malformed("it is not the vocabulary of a model of type \(name)")
        }
        switch name {
        case "BPE" where isByteLevel:
            let tokens = try vocabulary.byteLevelTokens(document: document, addedTokens: addedTokens)
            self = .bytePairs(try BytePairModel(document: model, vocabulary: vocabulary, byteLevelTokens: tokens))
        case "BPE": self = .characterPairs(try CharacterPairModel(document: model, vocabulary: vocabulary))
        case "Unigram": self = .unigram(try UnigramModel(document: model, vocabulary: vocabulary))
        case "WordPiece", "WordLevel":
            self = .words(try WordModel(document: model, vocabulary: vocabulary, takesParts: name == "WordPiece"))
        default: throw (type ?? model).unsupported(name.quoted, supported: "BPE, Unigram, WordPiece and WordLevel")
        }
    }
}
