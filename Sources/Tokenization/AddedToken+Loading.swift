extension AddedToken {
    /// The entry `added_tokens` of a `tokenizer.json`; none if there is no such entry.
    ///
    /// - Throws: `.malformed`, also for a name or an id that occurs twice.
    static func load(from document: JSONElement) throws(TokenizerError) -> [AddedToken] {
        guard let list = try document.member("added_tokens") else { return [] }
        var tokens: [AddedToken] = []
        var ids: Set<TokenID> = []
        var contents: Set<[UInt8]> = []
        for element in try list.elements() {
            let isSpecial = try element.flag("special", absent: false)
            let token = AddedToken(
                id: try element.required("id").tokenID(),
                content: try element.required("content").string(),
                isSpecial: isSpecial,
                isNormalized: try element.flag("normalized", absent: !isSpecial),
                isSingleWord: try element.flag("single_word", absent: false),
                stripsLeft: try element.flag("lstrip", absent: false),
                stripsRight: try element.flag("rstrip", absent: false)
            )
            guard ids.insert(token.id).inserted, contents.insert(Array(token.content.utf8)).inserted else {
                throw element.malformed("its id \(token.id) or its content \"\(token.content)\" occurs before")
            }
            tokens.append(token)
        }
        return tokens
    }
}
