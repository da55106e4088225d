import JSON

/// All tokens of a tokenizer while it is being loaded: those of the model and the added ones.
struct TokenVocabulary {
    /// The ids by the tokens as they are written in the file. Keys are compared as UTF-8, since two spellings that are
    /// canonically equivalent can be two tokens.
    private(set) var ids: [[UInt8]: TokenID] = [:]
    /// The bytes that each token stands for.
    private(set) var bytes: [TokenID: [UInt8]] = [:]
    /// The tokens of the model that stand for bytes, which are all but added ones.
    private(set) var byteLevelTokens: [(bytes: [UInt8], id: TokenID)] = []
    /// How many tokens the model has.
    let modelCount: Int
    /// Tokens of the model that stand for no bytes; each has to be an added token as well.
    private var names: [String] = []

    /// Takes the tokens of the model.
    ///
    /// - Throws: `.malformed` for ids that are no ids or used twice.
    init(document: JSONElement) throws(TokenizerError) {
        let vocabulary = try document.required("model").required("vocab")
        let members = try vocabulary.members()
        modelCount = members.count
        ids.reserveCapacity(members.count)
        bytes.reserveCapacity(members.count)
        byteLevelTokens.reserveCapacity(members.count)
        for member in members {
            let token = member.name
            guard let id = JSONElement.tokenID(member.value) else {
                throw vocabulary.malformed("the id of token \(token.quoted) is not in 0..<\(TokenBytes.maximumCount)")
            }

            let key = token.tokenKey
            if let stored = ByteLevelAlphabet.bytes(of: token) {
                byteLevelTokens.append((stored, id))
                try add(key, id: id, bytes: stored, in: vocabulary)
            } else {
                names.append(token)
                try add(key, id: id, bytes: key, in: vocabulary)
            }
        }
    }

    /// Takes the added tokens.
    ///
    /// - Throws: `.malformed` for ids used twice, and for tokens of the model that stand for no bytes and are not added
    ///   tokens.
    mutating func add(_ addedTokens: [AddedToken], document: JSONElement) throws(TokenizerError) {
        let vocabulary = try document.required("model").required("vocab")
        let contents = Set(addedTokens.map(\.content.tokenKey))
        for name in names where !contents.contains(name.tokenKey) {
            throw vocabulary.malformed("token \(name.quoted) has characters that stand for no byte")
        }
        for token in addedTokens where ids[token.content.tokenKey] == nil {
            // Decoding does not tell added tokens from others, so characters that stand for bytes do so here too.
            let stored = ByteLevelAlphabet.bytes(of: token.content) ?? token.content.tokenKey
            try add(token.content.tokenKey, id: token.id, bytes: stored, in: vocabulary)
        }
    }

    private mutating func add(
        _ token: [UInt8], id: TokenID, bytes stored: [UInt8], in element: JSONElement
    ) throws(TokenizerError) {
        guard bytes.updateValue(stored, forKey: id) == nil else {
            throw element.malformed(
                "id \(id) is given to two tokens, \(String(decoding: token, as: UTF8.self).quoted) is one")
        }
        ids[token] = id
    }

    /// The id of a token as written in the file.
    func id(of token: String) -> TokenID? { ids[token.tokenKey] }
}
