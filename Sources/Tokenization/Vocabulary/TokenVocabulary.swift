import JSON

/// All tokens of a tokenizer while it is being loaded: those of the model and the added ones.
struct TokenVocabulary {
    /// The ids by the tokens as they are written in the file. Keys are compared as UTF-8, since two spellings that are
    /// canonically equivalent can be two tokens.
    private var ids: [[UInt8]: TokenID] = [:]
    /// The tokens as they are written in the file.
    private(set) var names: [TokenID: [UInt8]] = [:]
    /// The tokens of the model.
    private(set) var modelTokens: [(name: [UInt8], id: TokenID)] = []
    /// How many tokens the model has.
    var modelCount: Int { modelTokens.count }

    /// Takes the tokens of the model: an object of tokens with their ids, or a list of tokens with scores.
    ///
    /// - Throws: `.malformed` for ids that are no ids or used twice.
    init(document: JSONElement) throws(TokenizerError) {
        let vocabulary = try document.required("model").required("vocab")
        if vocabulary.isArray {
            try addScored(vocabulary)
            return
        }
        let members = try vocabulary.members()
        ids.reserveCapacity(members.count)
        names.reserveCapacity(members.count)
        modelTokens.reserveCapacity(members.count)
        for member in members {
            guard let id = JSONElement.tokenID(member.value) else {
                throw vocabulary.malformed(
                    "the id of token \(member.name.quoted) is not in 0..<\(TokenBytes.maximumCount)")
            }
            try add(member.name.tokenKey, id: id, in: vocabulary)
            modelTokens.append((member.name.tokenKey, id))
        }
    }

    /// Takes pairs of a token and a score; the ids are their places. Of equal tokens the last is the one that counts.
    private mutating func addScored(_ vocabulary: JSONElement) throws(TokenizerError) {
        let entries = try vocabulary.values()
        guard entries.count < TokenBytes.maximumCount else { throw vocabulary.malformed("there are too many tokens") }
        for (index, entry) in entries.enumerated() {
            guard case .array(let pair) = entry, pair.count == 2, case .string(let token) = pair[0] else {
                throw .malformed(
                    path: vocabulary.file, element: "\(vocabulary.place)[\(index)]",
                    reason: "it is not a pair of a token and a score")
            }
            try add(token.tokenKey, id: TokenID(index), in: vocabulary)
            modelTokens.append((token.tokenKey, TokenID(index)))
        }
    }

    /// Takes the added tokens.
    ///
    /// - Throws: `.malformed` for ids used twice.
    mutating func add(_ addedTokens: [AddedToken], document: JSONElement) throws(TokenizerError) {
        let vocabulary = try document.required("model").required("vocab")
        for token in addedTokens where ids[token.content.tokenKey] == nil {
            try add(token.content.tokenKey, id: token.id, in: vocabulary)
        }
    }

    private mutating func add(_ token: [UInt8], id: TokenID, in element: JSONElement) throws(TokenizerError) {
        guard names.updateValue(token, forKey: id) == nil else {
            throw element.malformed(
                "id \(id) is given to two tokens, \(String(decoding: token, as: UTF8.self).quoted) is one")
        }
        ids[token] = id
    }

    /// The tokens of the model as the bytes that they stand for in a byte-level vocabulary.
    ///
    /// - Throws: `.malformed` for tokens that stand for no bytes and are not added tokens.
    func byteLevelTokens(
        document: JSONElement, addedTokens: [AddedToken]
    ) throws(TokenizerError) -> [(bytes: [UInt8], id: TokenID)] {
        let added = Set(addedTokens.map(\.content.tokenKey))
        var tokens: [(bytes: [UInt8], id: TokenID)] = []
        tokens.reserveCapacity(modelTokens.count)
        for token in modelTokens {
            let name = String(decoding: token.name, as: UTF8.self)
            if let bytes = ByteLevelAlphabet.bytes(of: name) {
                tokens.append((bytes, token.id))
            } else if !added.contains(token.name) {
                throw try document.required("model").required("vocab")
                    .malformed("token \(name.quoted) has characters that stand for no byte")
            }
        }
        return tokens
    }

    /// The id of a token as written in the file.
    func id(of token: String) -> TokenID? { ids[token.tokenKey] }

    /// The id of a token by its UTF-8.
    func id(of token: [UInt8]) -> TokenID? { ids[token] }

    /// Whether some token has this id.
    func contains(_ id: TokenID) -> Bool { names[id] != nil }

    /// The ids of the tokens `<0x00>` to `<0xFF>` that stand for bytes, -1 where there is none.
    var byteTokens: [TokenID] {
        let digits = Array("0123456789ABCDEF".utf8)
        return (0..<256).map { byte in
            id(of: Array("<0x".utf8) + [digits[byte >> 4], digits[byte & 15], UInt8(ascii: ">")]) ?? -1
        }
    }
}
