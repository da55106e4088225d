/// What `BertNormalizer` does, in this order (`tokenizers/src/normalizers/bert.rs` of github.com/huggingface/tokenizers).
struct BertNormalization: Sendable, Equatable {
    /// Removes control characters and writes white space as spaces.
    var cleansText: Bool
    /// Puts spaces around Chinese characters.
    var separatesChinese: Bool
    /// Removes nonspacing marks, after decomposition.
    var stripsAccents: Bool
    var lowercases: Bool

    init(cleansText: Bool, separatesChinese: Bool, stripsAccents: Bool, lowercases: Bool) {
        self.cleansText = cleansText
        self.separatesChinese = separatesChinese
        self.stripsAccents = stripsAccents
        self.lowercases = lowercases
    }

    /// Reads a component of type `BertNormalizer`.
    ///
    /// - Throws: `.malformed`.
    init(_ element: JSONElement) throws(TokenizerError) {
        cleansText = try element.flag("clean_text", absent: true)
        separatesChinese = try element.flag("handle_chinese_chars", absent: true)
        lowercases = try element.flag("lowercase", absent: true)
        stripsAccents = try element.flag("strip_accents", absent: lowercases)
    }

    func applied(to text: [UInt8]) -> [UInt8] {
        var text = text
        if cleansText { text = NormalizationStep.mapped(text, Self.cleaned) }
        if separatesChinese { text = Self.separated(text) }
        if stripsAccents {
            text = NormalizationStep.unicode(.init(isCompatible: false, isComposed: false)).applied(to: text)
            text = NormalizationStep.mapped(text) {
                Self.isNonspacingMark($0) ? nil : $0
            }
        }
        return lowercases ? NormalizationStep.lowercased(text) : text
    }

    /// Whether Unicode 8 has the scalar, whose categories the reference implementation uses.
    private static func isOld(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.age.map { $0.major <= 8 } ?? false
    }

    private static func isNonspacingMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // Since Unicode 8 the one has become a spacing mark, and the others nonspacing marks.
        case 0x1734: true
        case 0x1885, 0x1886, 0xA9BD, 0x111C9: false
        default: isOld(scalar) && scalar.properties.generalCategory == .nonspacingMark
        }
    }

    private static func cleaned(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        switch scalar {
        case "\t", "\n", "\r": return " "
        case "\0", "\u{FFFD}": return nil
        default: break
        }
        switch scalar.properties.generalCategory {
        case .control, .privateUse: return nil
        case .format where isOld(scalar): return nil
        default: return scalar.properties.isWhitespace ? " " : scalar
        }
    }

    private static func separated(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(where: { $0 >= 0xE3 }) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            switch scalar.value {
            case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
                0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
                result.append(contentsOf: [" ", scalar, " "])
            default: result.append(scalar)
            }
        }
        return Array(String(result).utf8)
    }
}
