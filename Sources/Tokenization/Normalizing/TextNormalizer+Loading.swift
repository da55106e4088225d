extension TextNormalizer {
    /// Loads the `normalizer` of a `tokenizer.json`, which may be absent.
    ///
    /// - Throws: `.unsupported`, `.malformed`.
    init(element: JSONElement?) throws(TokenizerError) {
        var steps: [NormalizationStep] = []
        for part in try element?.sequence(of: "normalizers") ?? [] { steps.append(try NormalizationStep(part)) }
        self.init(steps: steps)
    }
}

extension NormalizationStep {
    private static let supported =
        "NFC, NFD, NFKC, NFKD, Lowercase, Prepend, Replace, Strip, StripAccents, Precompiled, ByteLevel, Nmt, "
        + "BertNormalizer, or a Sequence of them"

    fileprivate init(_ element: JSONElement) throws(TokenizerError) {
        switch try element.required("type").string() {
        case "NFC": self = .unicode(.init(isCompatible: false, isComposed: true))
        case "NFD": self = .unicode(.init(isCompatible: false, isComposed: false))
        case "NFKC": self = .unicode(.init(isCompatible: true, isComposed: true))
        case "NFKD": self = .unicode(.init(isCompatible: true, isComposed: false))
        case "Lowercase": self = .lowercase
        case "Prepend": self = .prepend(Array(try element.required("prepend").string().utf8))
        case "Replace": self = .replace(try TextReplacement(element))
        case "Strip":
            self = .strip(
                left: try element.flag("strip_left", absent: true), right: try element.flag("strip_right", absent: true)
            )
        case "StripAccents": self = .stripAccents
        case "Precompiled": self = .precompiled(try PrecompiledCharacterMap(element))
        case "ByteLevel": self = .byteLevel
        case "Nmt": self = .nmt
        case "BertNormalizer": self = .bert(try BertNormalization(element))
        case let type: throw element.unsupported(type, supported: Self.supported)
        }
    }
}
