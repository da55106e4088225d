extension PreTokenizer {
    /// Loads the `pre_tokenizer` of a `tokenizer.json`.
    ///
    /// - Throws: `.unsupported` for other types, for unknown regular expressions, and if the last step is not `ByteLevel`,
    ///   `.malformed`.
    init(document: JSONElement) throws(TokenizerError) {
        guard let element = try document.member("pre_tokenizer") else {
            throw .unsupported(path: document.file, element: "pre_tokenizer", found: "null", supported: Self.supported)
        }

        var steps: [Step] = []
        var isByteLevel = false
        for part in try element.sequence(of: "pretokenizers") {
            let type = try part.required("type").string()
            // Text behind this step is no longer text but characters that stand for bytes.
            guard !isByteLevel else { throw part.unsupported("\(type) behind ByteLevel", supported: Self.supported) }
            switch type {
            case "ByteLevel":
                isByteLevel = true
                if try part.flag("add_prefix_space", absent: true) { steps.append(.prefixSpace) }
                if try part.flag("use_regex", absent: true) { steps.append(.split(.gpt2)) }
            case "Digits":
                steps.append(.digits(individually: try part.flag("individual_digits", absent: false)))
            case "Split":
                steps.append(.split(try Self.loadSplit(part)))
            default:
                throw part.unsupported(type, supported: Self.supported)
            }
        }
        guard isByteLevel else { throw element.unsupported("without ByteLevel", supported: Self.supported) }
        self.steps = steps
    }

    private static let supported = "ByteLevel, or a Sequence of Split and Digits that ends with ByteLevel"

    private static func loadSplit(_ element: JSONElement) throws(TokenizerError) -> SplitPattern {
        guard let expression = try element.required("pattern").member("Regex") else {
            throw element.unsupported("a Split at a fixed text", supported: "Split with a known Regex")
        }
        guard let pattern = SplitPattern(regularExpression: try expression.string()) else {
            throw expression.unsupported(
                "\"\(try expression.string())\"",
                supported: "the expressions of GPT-2, cl100k (Llama 3), Qwen 2, o200k and Tekken (Mistral)"
            )
        }
        // Every scalar belongs to a match, so keeping the matches and removing the rest is the same as keeping both.
        let behavior = try element.required("behavior")
        let inverted = try element.flag("invert", absent: false)
        switch (try behavior.string(), inverted) {
        case ("Isolated", _), ("Removed", true): return pattern
        case (let name, _):
            throw behavior.unsupported(
                "\(name) with invert \(inverted)", supported: "Isolated, or Removed with invert true"
            )
        }
    }
}

extension TextNormalizer {
    /// Loads the `normalizer` of a `tokenizer.json`, which may be absent.
    ///
    /// - Throws: `.unsupported`, `.malformed`.
    init(element: JSONElement?) throws(TokenizerError) {
        self = .none
        guard let element else { return }
        for part in try element.sequence(of: "normalizers") {
            let type = try part.required("type").string()
            guard type == "NFC" else { throw part.unsupported(type, supported: "NFC, or a Sequence of it") }
            self = .composed
        }
    }
}
