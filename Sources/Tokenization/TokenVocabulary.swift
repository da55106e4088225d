/// All tokens of a tokenizer while it is being loaded: those of the model and the added ones.
struct TokenVocabulary {
    /// The ids by the tokens as they are written in the file. Keys are compared as UTF-8, since two spellings that are
    /// canonically equivalent can be two tokens.
    private(set) var ids: [[UInt8]: TokenID] = [:]
    /// The bytes that each token stands for.
    private(set) var bytes: [TokenID: [UInt8]] = [:]
    /// The tokens of the model that stand for bytes, which are all but added ones.
    private(set) var byteLevelTokens: [(bytes: [UInt8], id: TokenID)] = []

    /// - Throws: `.malformed` for ids that are no ids or used twice, and for tokens that stand for no bytes.
    init(document: JSONElement, addedTokens: [AddedToken]) throws(TokenizerError) {
        let vocabulary = try document.required("model").required("vocab")
        let members = try vocabulary.members()
        let addedContents = Set(addedTokens.map { Array($0.content.utf8) })
        ids.reserveCapacity(members.count + addedTokens.count)
        bytes.reserveCapacity(members.count + addedTokens.count)
        byteLevelTokens.reserveCapacity(members.count)
        for member in members {
            let token = member.name
            guard let id = JSONElement.tokenID(member.value) else {
                throw vocabulary.malformed("the id of token \"\(token)\" is not in 0..<\(TokenBytes.maximumCount)")
            }
            let key = Array(token.utf8)
            if let stored = ByteLevelAlphabet.bytes(of: token) {
                byteLevelTokens.append((stored, id))
                try add(key, id: id, bytes: stored, in: vocabulary)
            } else if addedContents.contains(key) {
                try add(key, id: id, bytes: key, in: vocabulary)
            } else {
                throw vocabulary.malformed("token \"\(token)\" has characters that stand for no byte")
            }
        }
        for (index, token) in addedTokens.enumerated() {
            let key = Array(token.content.utf8)
            if let id = ids[key] {
                guard id == token.id else {
                    throw .malformed(
                        path: document.file, element: "added_tokens[\(index)]",
                        reason: "token \"\(token.content)\" has id \(token.id), which is \(id) in the vocabulary"
                    )
                }
                continue
            }
            // Decoding does not tell added tokens from others, so characters that stand for bytes do so here too.
            let stored = ByteLevelAlphabet.bytes(of: token.content) ?? key
            try add(key, id: token.id, bytes: stored, in: vocabulary)
        }
    }

    private mutating func add(
        _ token: [UInt8], id: TokenID, bytes stored: [UInt8], in element: JSONElement
    ) throws(TokenizerError) {
        guard bytes.updateValue(stored, forKey: id) == nil else {
            throw element.malformed(
                "id \(id) is given to two tokens, \"\(String(decoding: token, as: UTF8.self))\" is one")
        }
        ids[token] = id
    }

    /// The id of a token as written in the file.
    func id(of token: String) -> TokenID? { ids[Array(token.utf8)] }
}
