/// One step of a normalizer.
enum NormalizationStep: Sendable {
    /// `NFC`, `NFD`, `NFKC`, `NFKD`
    case unicode(UnicodeNormalization.Form)
    /// `Lowercase`
    case lowercase
    /// `Prepend`: puts text in front of a text that is not empty.
    case prepend([UInt8])
    /// `Replace`
    case replace(TextReplacement)
    /// `Strip`: removes white space at the ends.
    case strip(left: Bool, right: Bool)
    /// `StripAccents`: removes combining marks.
    case stripAccents
    /// `Precompiled`: the character map of a SentencePiece model.
    case precompiled(PrecompiledCharacterMap)
    /// `ByteLevel`: writes every byte as the character that stands for it.
    case byteLevel
    /// `Nmt`: removes control characters and writes other white space as spaces.
    case nmt
    /// `BertNormalizer`
    case bert(BertNormalization)
}

extension NormalizationStep {
    /// The normalised form of valid UTF-8.
    func applied(to text: [UInt8]) -> [UInt8] {
        switch self {
        case .unicode(let form):
            // No scalar below changes unless one from there on follows.
            let first: UInt8 = form.isCompatible ? 0xC2 : form.isComposed ? 0xCC : 0xC3
            guard text.contains(where: { $0 >= first }) else { return text }
            return UnicodeNormalization.normalized(text, to: form)
        case .lowercase: return Self.lowercased(text)
        case .prepend(let prefix): return text.isEmpty ? text : prefix + text
        case .replace(let replacement): return replacement.applied(to: text)
        case .strip(let left, let right): return Self.stripped(text, left: left, right: right)
        case .stripAccents:
            guard text.contains(where: { $0 >= 0xCC }) else { return text }
            return Self.mapped(text) { UnicodeNormalization.isMark($0) ? nil : $0 }
        case .precompiled(let map): return map.applied(to: text)
        case .byteLevel: return ByteLevelAlphabet.written(text)
        case .nmt: return Self.mapped(text, Self.nmtMapping)
        case .bert(let normalization): return normalization.applied(to: text)
        }
    }

    /// The text with every scalar replaced by another one, or left out.
    static func mapped(_ text: [UInt8], _ mapping: (Unicode.Scalar) -> Unicode.Scalar?) -> [UInt8] {
        var result = String.UnicodeScalarView()
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            if let new = mapping(scalar) { result.append(new) }
        }
        return Array(String(result).utf8)
    }

    /// The lower case of every scalar by itself: a final sigma is none, and the capital I with a dot becomes two scalars.
    static func lowercased(_ text: [UInt8]) -> [UInt8] {
        if text.allSatisfy({ $0 < 0x80 }) {
            return text.map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 ? $0 | 0x20 : $0 }
        }
        var result = ""
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            result.unicodeScalars.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
        }
        return Array(result.utf8)
    }

    private static func stripped(_ text: [UInt8], left: Bool, right: Bool) -> [UInt8] {
        var scalars = Substring(String(decoding: text, as: UTF8.self)).unicodeScalars
        while left, let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
        while right, let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        return Array(Substring(scalars).utf8)
    }

    /// The rules of `tokenizers/src/normalizers/unicode.rs` of github.com/huggingface/tokenizers.
    private static func nmtMapping(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        switch scalar.value {
        case 0x1...0x8, 0xB, 0xE...0x1F, 0x7F, 0x8F, 0x9F: nil
        case 0x9, 0xA, 0xC, 0xD, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD: " "
        default: scalar
        }
    }
}
