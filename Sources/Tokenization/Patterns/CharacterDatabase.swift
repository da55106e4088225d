/// The sets of scalars that properties name.
///
/// They are those of Unicode 16, as in the engine of the reference implementation (Oniguruma 6.9.10), for any toolchain:
/// scalars assigned later count as unassigned.
struct CharacterDatabase: Sendable {
    /// Computed when first needed.
    static let shared = CharacterDatabase()

    /// By the codes of two letters.
    private let byCategory: [String: ScalarSet]
    let alphabetic: ScalarSet
    let uppercase: ScalarSet
    let lowercase: ScalarSet
    let space: ScalarSet
    let otherCased: ScalarSet
    /// The general categories P* with Unicode 8 and the ASCII symbols: `Punctuation` and `BertPreTokenizer`.
    let delimiters: ScalarSet
    /// As `ScalarSet.word` by the engine of `Whitespace`: with the joiners, without the numbers of Latin 1.
    let whitespaceWord: ScalarSet

    /// The planes in use. What is between them is unassigned.
    private static let planes: [ClosedRange<UInt32>] = [0...0x3FFFF, 0xE0000...0xE0FFF, 0xF0000...0x10FFFF]

    private init() {
        var sets: [String: Gathered] = [:]
        func add(_ scalar: UInt32, to name: String) { sets[name, default: Gathered()].add(scalar) }
        for value in Self.planes.joined() {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let properties = scalar.properties
            let category = properties.generalCategory
            // Private use and noncharacters have no age.
            guard category == .privateUse || (properties.age.map { $0.major <= 16 } ?? false) else { continue }
            // Its category has changed: a lowercase letter up to Unicode 16, without case since.
            let code = value == 0x295 ? "Ll" : Self.code(of: category)
            guard code != "Cn" else { continue }
            add(value, to: code)
            if code == "Co" || (code == "Lo" && Self.isIdeographic(value)) {
                if code == "Lo" { add(value, to: "alphabetic") }
                continue
            }
            if properties.isAlphabetic { add(value, to: "alphabetic") }
            if properties.isUppercase { add(value, to: "uppercase") }
            if properties.isLowercase || value == 0x295 { add(value, to: "lowercase") }
            if properties.isWhitespace { add(value, to: "space") }
            if properties.isJoinControl { add(value, to: "joiner") }
            if value > 0x7F, properties.changesWhenCaseMapped || properties.changesWhenCaseFolded {
                add(value, to: "cased")
            }
            if code.hasPrefix("P"), let age = properties.age, age.major <= 8 { add(value, to: "delimiter") }
        }
        var categories = sets.filter { $0.key.count == 2 }.mapValues { ScalarSet($0.ranges) }
        categories["Cs"] = ScalarSet([0xD800...0xDFFF])
        categories["Cn"] = ScalarSet(categories.values.flatMap(\.ranges)).inverted
        byCategory = categories
        func set(_ name: String) -> ScalarSet { ScalarSet(sets[name]?.ranges ?? []) }
        alphabetic = set("alphabetic")
        uppercase = set("uppercase")
        lowercase = set("lowercase")
        space = set("space")
        otherCased = set("cased").intersection(ScalarSet([0x17F...0x17F, 0x212A...0x212A]).inverted)
        // Two have other categories since Unicode 8.
        let formerPunctuation: [ClosedRange<UInt32>] = [0x166D...0x166D, 0x111C9...0x111C9]
        let symbols: [ClosedRange<UInt32>] = [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E]
        delimiters = ScalarSet((sets["delimiter"]?.ranges ?? []) + formerPunctuation + symbols)
        let members = ["Mn", "Mc", "Me", "Nd", "Pc"].flatMap { categories[$0]?.ranges ?? [] }
        whitespaceWord = ScalarSet(members).union(alphabetic).union(set("joiner"))
    }

    /// The scalars of any of the general categories.
    func categories(_ codes: [String]) -> ScalarSet {
        ScalarSet(codes.flatMap { byCategory[$0]?.ranges ?? [] })
    }

    /// Ranges that grow scalar by scalar, in order.
    private struct Gathered {
        var ranges: [ClosedRange<UInt32>] = []

        mutating func add(_ scalar: UInt32) {
            if let last = ranges.last, last.upperBound + 1 == scalar {
                ranges[ranges.count - 1] = last.lowerBound...scalar
            } else {
                ranges.append(scalar...scalar)
            }
        }
    }

    /// Large blocks of letters without any other property.
    private static func isIdeographic(_ value: UInt32) -> Bool {
        (0x4E00...0x9FFF).contains(value) || (0xAC00...0xD7A3).contains(value) || (0x20000...0x3FFFF).contains(value)
    }

    private static func code(of category: Unicode.GeneralCategory) -> String {
        switch category {
        case .uppercaseLetter: "Lu"
        case .lowercaseLetter: "Ll"
        case .titlecaseLetter: "Lt"
        case .modifierLetter: "Lm"
        case .otherLetter: "Lo"
        case .nonspacingMark: "Mn"
        case .spacingMark: "Mc"
        case .enclosingMark: "Me"
        case .decimalNumber: "Nd"
        case .letterNumber: "Nl"
        case .otherNumber: "No"
        case .connectorPunctuation: "Pc"
        case .dashPunctuation: "Pd"
        case .openPunctuation: "Ps"
        case .closePunctuation: "Pe"
        case .initialPunctuation: "Pi"
        case .finalPunctuation: "Pf"
        case .otherPunctuation: "Po"
        case .mathSymbol: "Sm"
        case .currencySymbol: "Sc"
        case .modifierSymbol: "Sk"
        case .otherSymbol: "So"
        case .spaceSeparator: "Zs"
        case .lineSeparator: "Zl"
        case .paragraphSeparator: "Zp"
        case .control: "Cc"
        case .format: "Cf"
        case .surrogate: "Cs"
        case .privateUse: "Co"
        case .unassigned: "Cn"
        @unknown default: "Cn"
        }
    }
}
