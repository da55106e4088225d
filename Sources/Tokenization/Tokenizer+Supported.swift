extension Tokenizer {
    /// What is read of `tokenizer.json`: by section, the types that may stand there.
    package static let supported: [(kind: String, names: [String])] = [
        ("tokenizer model", ["BPE"]),
        ("normalizer", ["NFC", "Sequence"]),
        ("pre-tokenizer", ["ByteLevel", "Digits", "Split", "Sequence"]),
        ("post-processor", ["TemplateProcessing", "ByteLevel", "Sequence"]),
        ("decoder", ["ByteLevel", "Sequence"]),
    ]

    /// The kind of the model, in words.
    package var kind: String { "BPE, byte-level" }
}
