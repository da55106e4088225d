/// The number of a token in a tokenizer's vocabulary, from 0.
package typealias TokenID = Int32

/// A byte-level byte-pair tokenizer, as described by the `tokenizer.json` of Hugging Face's `tokenizers`.
///
/// Text becomes the same ids as there. Supported are models of type `BPE`; all pre-tokenizers but `UnicodeScripts`, with
/// the regular expressions that `TextPattern` takes; the normalizer `NFC`; the post-processors `TemplateProcessing` and `ByteLevel`; the decoder `ByteLevel`; and added tokens
/// with all of their flags. Anything else is refused by name when the tokenizer is loaded. The entries `truncation` and
/// `padding` are left to the caller and have no effect.
///
/// A tokenizer can be used from several threads at once.
package struct Tokenizer: Sendable {
    /// The token that begins a text: the first that the template puts there, or else the one of that name in
    /// `tokenizer_config.json`.
    package let bosTokenID: TokenID?
    /// The token that ends a text, from `tokenizer_config.json`.
    package let eosTokenID: TokenID?
    /// The token that fills batches up, from `tokenizer_config.json`.
    package let padTokenID: TokenID?
    /// The token for bytes without a token; without it they are dropped.
    package let unknownTokenID: TokenID?
    /// The chat template: the file `chat_template.jinja`, or else that of `tokenizer_config.json`, of several the one
    /// named `default`.
    package let chatTemplate: String?
    /// The names of special tokens by what a chat template calls them, such as `bos_token`, from `tokenizer_config.json` or
    /// `special_tokens_map.json`.
    package let specialTokenNames: [String: String]

    let model: BytePairModel
    let addedTokens: [TokenID: AddedToken]
    let verbatimTokens: AddedTokenMatcher
    let normalizedTokens: AddedTokenMatcher
    let normalizer: TextNormalizer
    let preTokenizer: PreTokenizer
    let template: SpecialTokenTemplate
    /// The names of special tokens that are treated as ordinary text.
    let splitTokens: Set<[UInt8]>
    let tokenBytes: TokenBytes
    let workspaces = WorkspacePool()

    /// One more than the largest token id.
    package var vocabularySize: Int { tokenBytes.count }

    /// The tokens that `encode` puts before a text with special tokens: none, or the `bosTokenID` and those behind it.
    package var prefix: [TokenID] { template.prefix }

    /// Whether `encode` with special tokens puts the `bosTokenID` first.
    package var addsBOS: Bool { !template.prefix.isEmpty }

    /// Whether a token is structural rather than text.
    package func isSpecial(_ id: TokenID) -> Bool { addedTokens[id]?.isSpecial ?? false }

    /// The bytes that a token stands for, which need not be whole characters; a special token's are its name. Empty for an
    /// id that is not in the vocabulary.
    package func bytes(of id: TokenID) -> [UInt8] { Array(tokenBytes[id]) }

    /// The text that a token stands for; U+FFFD takes the place of incomplete characters.
    package func text(of id: TokenID) -> String { String(decoding: tokenBytes[id], as: UTF8.self) }

    /// Turns text into tokens.
    ///
    /// - Parameters:
    ///   - text: any text. Names of special tokens in it become those tokens, unless `tokenizer_config.json` has
    ///     `split_special_tokens`.
    ///   - addSpecialTokens: whether to add the template's special tokens around it, such as a token for the
    ///     beginning.
    /// - Complexity: O(n log n) in the length of the longest piece, O(n) otherwise.
    package func encode(_ text: String, addSpecialTokens: Bool = true) -> [TokenID] {
        var sink = TokenSink(after: addSpecialTokens ? template.prefix : [])
        encode(text, into: &sink)
        return addSpecialTokens ? sink.ids + template.suffix : sink.ids
    }

    /// Turns text into tokens and delivers them meanwhile, so that those of a long text need not be in memory at
    /// once. Without special tokens around it; the tokens are those of `encode` without special tokens.
    ///
    /// - Parameter body: receives the tokens in stretches, from left to right.
    package func forEachStretch(ofTokensOf text: String, _ body: ([TokenID]) -> Void) {
        withoutActuallyEscaping(body) { body in
            var sink = TokenSink(stretch: Self.stretch, body)
            encode(text, into: &sink)
            sink.passOnAll()
        }
    }

    /// Approximate number of tokens delivered at a time.
    private static let stretch = 1 << 14

    private func encode(_ text: String, into sink: inout TokenSink) {
        let workspace = workspaces.take()
        defer { workspaces.giveBack(workspace) }
        var text = text
        text.withUTF8 { bytes in
            sink.reserve(forBytes: bytes.count)
            verbatimTokens.split(bytes) { stretch, id in
                if let id {
                    sink.ids.append(id)
                } else {
                    let isFirst = stretch.baseAddress == bytes.baseAddress
                    encode(stretch, isFirst: isFirst, with: workspace, into: &sink)
                }
            }
        }
    }

    /// Encodes text in which the added tokens that are looked for verbatim have been found already.
    private func encode(
        _ text: UnsafeBufferPointer<UInt8>, isFirst: Bool, with workspace: EncodingWorkspace,
        into sink: inout TokenSink
    ) {
        let model = model
        normalizer.withNormalized(text) { normalized in
            normalizedTokens.split(normalized) { stretch, id in
                if let id {
                    sink.ids.append(id)
                } else {
                    let isFirst = isFirst && stretch.baseAddress == normalized.baseAddress
                    preTokenizer.forEachPiece(of: stretch, isFirst: isFirst) {
                        workspace.encode($0, by: model, into: &sink)
                    }
                }
            }
        }
    }

    /// Turns tokens into text.
    ///
    /// - Parameters:
    ///   - ids: tokens; those that are not in the vocabulary are left out.
    ///   - skipSpecialTokens: whether to leave special tokens out as well.
    /// - Returns: the text; U+FFFD takes the place of bytes that are not UTF-8.
    package func decode(_ ids: [TokenID], skipSpecialTokens: Bool = false) -> String {
        var bytes: [UInt8] = []
        for id in ids where !(skipSpecialTokens && isSpecial(id)) { bytes.append(contentsOf: tokenBytes[id]) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
