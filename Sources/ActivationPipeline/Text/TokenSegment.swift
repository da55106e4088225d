package import Tokenization

/// A stretch of one document that the model sees at once.
package struct TokenSegment: Sendable {
    /// The document's number in the corpus.
    package let document: Int
    /// The segment's number within the document.
    package let index: Int
    /// Position of the segment's first token among the document's tokens.
    package let start: Int
    /// The tokens fed to the model: BOS, if the tokenizer adds it, then the document's tokens.
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

/// Cuts documents into segments. No segment crosses the border of a document, so no padding is needed and no token sees
/// another document.
package struct Segmenter: Sendable {
    let tokenizer: Tokenizer
    /// The most tokens the model sees at once, BOS included.
    let context: Int

    package init(tokenizer: Tokenizer, context: Int) {
        self.tokenizer = tokenizer
        self.context = context
    }

    /// The document's own tokens, BOS not among them, and its segments.
    package func tokensAndSegments(of text: String, document: Int) -> (tokens: [TokenID], segments: [TokenSegment]) {
        let tokens = tokenizer.encode(text, addSpecialTokens: false)
        return (tokens, segments(ofTokens: tokens, document: document))
    }

    /// The segments of a document; together they hold each token once.
    package func segments(of text: String, document: Int) -> [TokenSegment] {
        var segments: [TokenSegment] = []
        forEachSegment(of: text, document: document) { segments.append($0) }
        return segments
    }

    /// Calls `body` with the segments of a document in order, each as soon as its tokens are known.
    func forEachSegment(of text: String, document: Int, _ body: (TokenSegment) -> Void) {
        // Tokens not delivered yet, and the position of the first in the document.
        var rest: [TokenID] = []
        var start = 0
        tokenizer.forEachStretch(ofTokensOf: text) { stretch in
            rest += stretch
            let whole = rest.count / length * length
            giveAway(rest[..<whole], document: document, from: start, body)
            rest.removeFirst(whole)
            start += whole
        }
        giveAway(rest[...], document: document, from: start, body)
    }

    /// The segments of a document that is tokens already.
    package func segments(ofTokens tokens: [TokenID], document: Int) -> [TokenSegment] {
        var segments: [TokenSegment] = []
        giveAway(tokens[...], document: document, from: 0) { segments.append($0) }
        return segments
    }

    /// The tokens in front of every segment: BOS, if the tokenizer adds it.
    private var prefix: [TokenID] { tokenizer.addsBOS ? tokenizer.bosTokenID.map { [$0] } ?? [] : [] }

    /// Tokens of a document in each of its segments but the last.
    private var length: Int { max(context - prefix.count, 1) }

    /// Cuts tokens that are the document's from `start` on, the beginning of a segment.
    private func giveAway(
        _ tokens: ArraySlice<TokenID>, document: Int, from start: Int, _ body: (TokenSegment) -> Void
    ) {
        let (prefix, length) = (prefix, length)
        for offset in stride(from: 0, to: tokens.count, by: length) {
            let first = tokens.startIndex + offset
            body(
                TokenSegment(
                    document: document, index: (start + offset) / length, start: start + offset,
                    tokens: prefix + tokens[first..<min(first + length, tokens.endIndex)], prefix: prefix.count))
        }
    }
}

extension TokenSegment {
    /// The segment with only the first of its own tokens.
    package func cut(to count: Int) -> TokenSegment {
        TokenSegment(
            document: document, index: index, start: start, tokens: Array(tokens.prefix(prefix + count)), prefix: prefix
        )
    }
}
