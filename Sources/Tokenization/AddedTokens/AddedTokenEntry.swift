/// A file's description of an added token, before the token has its id.
struct AddedTokenEntry: Equatable {
    var content: String
    var isSpecial: Bool
    /// Nil if the file does not say: special tokens are then matched in the original text, others in normalised text.
    var isNormalized: Bool?
    var isSingleWord = false
    var stripsLeft = false
    var stripsRight = false

    /// A token of which only the name is known. It counts as special.
    init(special content: String) {
        self.content = content
        isSpecial = true
    }

    /// Reads a description: an object with `content` and flags.
    ///
    /// - Throws: `.malformed`.
    init(_ element: JSONElement) throws(TokenizerError) {
        content = try element.required("content").string()
        isSpecial = try element.flag("special", absent: false)
        if try element.member("normalized") != nil { isNormalized = try element.flag("normalized", absent: false) }
        isSingleWord = try element.flag("single_word", absent: false)
        stripsLeft = try element.flag("lstrip", absent: false)
        stripsRight = try element.flag("rstrip", absent: false)
    }

    /// Reads a token that is given by its name, or by a description; what is described here is special.
    ///
    /// - Throws: `.malformed`.
    init(named element: JSONElement) throws(TokenizerError) {
        if let name = element.stringIfAny {
            self.init(special: name)
        } else {
            try self.init(element)
            // Without the key, which files of older versions leave out.
            if try element.member("special") == nil { isSpecial = true }
        }
    }

    /// The token under an id.
    func token(id: TokenID) -> AddedToken {
        AddedToken(
            id: id, content: content, isSpecial: isSpecial, isNormalized: isNormalized ?? !isSpecial,
            isSingleWord: isSingleWord, stripsLeft: stripsLeft, stripsRight: stripsRight)
    }
}

extension String {
    /// The identity of a token: strings that are canonically equivalent are equal, and can be two tokens.
    var tokenKey: [UInt8] { Array(utf8) }
}
