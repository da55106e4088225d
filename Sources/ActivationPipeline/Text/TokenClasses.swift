package import Tokenization

/// The paper's token classes: tokens whose text, trimmed and lowercased, is the same.
package struct TokenClasses: Sendable {
    /// The class of each token id.
    private let classOfToken: [Int32]
    /// The text of each class.
    package let text: [String]

    package init(_ tokenizer: Tokenizer) {
        var number: [String: Int32] = [:]
        var text: [String] = []
        classOfToken = (0..<tokenizer.vocabularySize).map { id in
            let name = TokenClass.text(of: tokenizer.text(of: TokenID(id)))
            if let known = number[name] { return known }
            number[name] = Int32(text.count)
            text.append(name)
            return Int32(text.count - 1)
        }
        self.text = text
    }

    /// The class of a token.
    package func of(_ token: TokenID) -> Int32 { classOfToken[Int(token)] }
}
