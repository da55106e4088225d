extension PreTokenizer {
    /// A text for every step, which determines what it does, for `Tokenizer.withCanonicalContent`.
    ///
    /// Catalogs store digests of them, so a text never changes.
    var contentOfSteps: [String] {
        // Pieces that are text instead of bytes make a difference even without a step.
        steps.map(content) + (isByteLevel ? [] : ["characters"])
    }

    private func content(of step: Step) -> String {
        switch step {
        case .split(let pattern): pattern.regularExpressions[0]
        case .digits(let individually): individually ? "single digits" : "digits"
        case .prefixSpace: "prefix space"
        case .pattern(let split):
            "Split \(split.behavior.rawValue)\(split.isInverted ? " inverted" : "") \(split.source)"
        case .fixedLength(let length): "FixedLength \(length)"
        case .metaspace(let metaspace):
            "Metaspace \(metaspace.scheme.rawValue) \(metaspace.splits ? "split" : "whole") "
                + String(decoding: metaspace.replacement, as: UTF8.self)
        case .byteCharacters: "byte characters"
        case .bytesOfCharacters: "bytes of characters"
        }
    }
}
