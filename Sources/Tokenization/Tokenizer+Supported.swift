extension Tokenizer {
    /// What is read of `tokenizer.json`: by section, the types that may stand there.
    package static let supported: [(kind: String, names: [String])] = [
        ("tokenizer model", ["BPE", "Unigram", "WordPiece", "WordLevel"]),
        (
            "normalizer",
            [
                "BertNormalizer", "ByteLevel", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "Nmt", "Precompiled",
                "Prepend", "Replace", "Sequence", "Strip", "StripAccents",
            ]
        ),
        (
            "pre-tokenizer",
            [
                "BertPreTokenizer", "ByteLevel", "CharDelimiterSplit", "Digits", "FixedLength", "Metaspace",
                "Punctuation", "Sequence", "Split", "Whitespace", "WhitespaceSplit",
            ]
        ),
        ("post-processor", ["BertProcessing", "ByteLevel", "RobertaProcessing", "Sequence", "TemplateProcessing"]),
        (
            "decoder",
            [
                "BPEDecoder", "ByteFallback", "ByteLevel", "CTC", "Fuse", "Metaspace", "Replace", "Sequence", "Strip",
                "WordPiece",
            ]
        ),
    ]

    /// The kind of the model, in words.
    package var kind: String {
        switch model {
        case .bytePairs: "BPE over bytes"
        case .characterPairs: "BPE over characters"
        case .unigram: "Unigram"
        case .words: "words"
        }
    }
}
