import Tokenization

/// A stretch of one document that the model sees at once.
struct TokenSegment: Sendable {
    /// The document's place in the corpus.
    let document: Int
    /// The segment's number within the document.
    let index: Int
    /// Place of the segment's first token among the document's tokens.
    let start: Int
    /// What the model is fed: BOS, where the tokenizer asks for it, then the document's tokens.
    let tokens: [TokenID]
    /// How many of `tokens` are BOS: 0 or 1.
    let prefix: Int
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
        let prefix = tokenizer.addsBOS ? tokenizer.bosTokenID.map { [$0] } ?? [] : []
        let length = max(context - prefix.count, 1)
        let segments = stride(from: 0, to: tokens.count, by: length).enumerated().map { index, start in
            TokenSegment(
                document: document, index: index, start: start,
                tokens: prefix + tokens[start..<min(start + length, tokens.count)], prefix: prefix.count)
        }
        return (tokens, segments)
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
