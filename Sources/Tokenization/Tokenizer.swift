/// The number of a token in a tokenizer's vocabulary, from 0.
package typealias TokenID = Int32

/// A tokenizer as described by the `tokenizer.json` of Hugging Face's `tokenizers`.
///
/// Text becomes the same ids as there, and ids the same text. Supported are
/// - models of type `BPE` over bytes (GPT-2, Llama 3, Qwen) and over characters (Llama 2, Mistral 7B, Gemma, Phi-3),
///   `Unigram` (T5, XLM-R), `WordPiece` and `WordLevel`;
/// - the normalizers `NFC`, `NFD`, `NFKC`, `NFKD`, `Lowercase`, `Prepend`, `Replace` of a text, `Strip`, `StripAccents`,
///   `Precompiled`, `ByteLevel`, `Nmt` and `BertNormalizer`;
/// - all pre-tokenizers but `UnicodeScripts`, with the regular expressions that `TextPattern` takes, or none;
/// - the post-processors `TemplateProcessing`, `BertProcessing`, `RobertaProcessing` and `ByteLevel`;
/// - the decoders `ByteLevel`, `Replace` of a text, `ByteFallback`, `Fuse`, `Strip`, `Metaspace`, `WordPiece`, `BPEDecoder`
///   and `CTC`, or none;
/// - sequences of all of these, and added tokens with all of their flags.
///
/// Anything else is refused by name when the tokenizer is loaded: byte-pair models with dropout, a subword prefix or a
/// word suffix, and unigram models without an unknown token. The entries `truncation` and `padding` are left to the caller
/// and have no effect.
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

    let model: TokenModel
    let addedTokens: [TokenID: AddedToken]
    let verbatimTokens: AddedTokenMatcher
    let normalizedTokens: AddedTokenMatcher
    let normalizer: TextNormalizer
    let preTokenizer: PreTokenizer
    let template: SpecialTokenTemplate
    /// The names of special tokens that are treated as ordinary text.
    let splitTokens: Set<[UInt8]>
    let decoder: TokenDecoder
    /// The tokens as the decoder sees them: as they are written in the file, added tokens that are matched in normalised
    /// text in their normalised form.
    let tokenNames: TokenBytes
    /// Whether decoding joins the bytes of the tokens.
    let joinsBytes: Bool
    /// The tokens that are left out of decoded text on request: those whose names, as the decoder sees them, are special.
    let skippedTokens: Set<TokenID>
    /// The bytes that each token stands for inside a text.
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
            var isAtStart = true
            verbatimTokens.split(bytes) { stretch, id in
                if let id {
                    sink.ids.append(id)
                } else {
                    encode(stretch, isAtStart: isAtStart, with: workspace, into: &sink)
                }
                isAtStart = false
            }
        }
    }

    /// Encodes text in which the added tokens that are looked for verbatim have been found already.
    private func encode(
        _ text: UnsafeBufferPointer<UInt8>, isAtStart: Bool, with workspace: EncodingWorkspace,
        into sink: inout TokenSink
    ) {
        let model = model
        var isAtStart = isAtStart
        normalizer.withNormalized(text) { normalized, keepsStart in
            isAtStart = isAtStart && keepsStart
            normalizedTokens.split(normalized) { stretch, id in
                defer { isAtStart = false }
                if let id { return sink.ids.append(id) }
                // By itself, as there are the most pieces, and taking the model out for each would cost a tenth.
                if case .bytePairs(let model) = model {
                    return preTokenizer.forEachPiece(of: stretch, isFirst: isAtStart) {
                        workspace.encode($0, by: model, into: &sink)
                    }
                }
                preTokenizer.forEachPiece(of: stretch, isFirst: isAtStart) {
                    workspace.encode($0, by: model, into: &sink)
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
        guard joinsBytes else {
            let names = ids.filter { !(skipSpecialTokens && skippedTokens.contains($0)) }.map { Array(tokenNames[$0]) }
            return decoder.text(of: names.filter { !$0.isEmpty })
        }
        var bytes: [UInt8] = []
        for id in ids where !(skipSpecialTokens && skippedTokens.contains(id)) {
            bytes.append(contentsOf: tokenBytes[id])
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
