package import Tokenization

/// A stretch of one document that the model sees at once.
package struct TokenSegment: Sendable {
    /// The document's place in the corpus.
    package let document: Int
    /// The segment's number within the document.
    package let index: Int
    /// Place of the segment's first token among the document's tokens.
    package let start: Int
    /// What the model is fed: BOS, where the tokenizer asks for it, then the document's tokens.
    package let tokens: [TokenID]
    /// How many of `tokens` are BOS: 0 or 1.
    package let prefix: Int

    package init(document: Int, index: Int, start: Int, tokens: [TokenID], prefix: Int) {
        self.document = document
        self.index = index
        self.start = start
        self.tokens = tokens
        self.prefix = prefix
    }
}

/// Cuts documents into segments. No segment crosses a document's border, so no padding is needed and no token sees
/// another document.
struct Segmenter: Sendable {
    let tokenizer: Tokenizer
    /// The most tokens the model sees at once, BOS included.
    let context: Int

    /// The document's own tokens, BOS not among them, and its segments.
    func segments(of text: String, document: Int) -> (tokens: [TokenID], segments: [TokenSegment]) {
        let tokens = tokenizer.encode(text, addSpecialTokens: false)
        return (tokens, segments(ofTokens: tokens, document: document))
    }

    /// The segments of a document that is tokens already.
    func segments(ofTokens tokens: [TokenID], document: Int) -> [TokenSegment] {
        let prefix = tokenizer.addsBOS ? tokenizer.bosTokenID.map { [$0] } ?? [] : []
        let length = max(context - prefix.count, 1)
        return stride(from: 0, to: tokens.count, by: length).enumerated().map { index, start in
            TokenSegment(
                document: document, index: index, start: start,
                tokens: prefix + tokens[start..<min(start + length, tokens.count)], prefix: prefix.count)
        }
    }
}

extension TokenSegment {
    /// The segment with only the first of its own tokens.
    func cut(to count: Int) -> TokenSegment {
        TokenSegment(
            document: document, index: index, start: start, tokens: Array(tokens.prefix(prefix + count)), prefix: prefix
        )
    }
}
