/// The class of a Unicode scalar, as used by the splitting rules.
///
/// But for `numeric`, they are those of Unicode 16, as in the reference implementation, for any toolchain: scalars assigned
/// later count as unassigned, so that a text keeps its tokens when the toolchain is updated.
struct ScalarClass: OptionSet, Sendable {
    let rawValue: UInt8

    /// `\p{L}`
    static let letter = ScalarClass(rawValue: 1)
    /// `\p{N}`
    static let number = ScalarClass(rawValue: 2)
    /// `\s`, the property White_Space
    static let space = ScalarClass(rawValue: 4)
    /// `[\r\n]`, which are also spaces
    static let newline = ScalarClass(rawValue: 8)
    /// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`
    static let wordStart = ScalarClass(rawValue: 16)
    /// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`
    static let wordRest = ScalarClass(rawValue: 32)

    /// `\p{N}` of Unicode 17, which the step `Digits` has (`char::is_numeric` of the reference implementation's compiler)
    static let numeric = ScalarClass(rawValue: 64)

    /// Classifies a scalar by the Unicode character database.
    init(of scalar: Unicode.Scalar) {
        let properties = scalar.properties
        var result: ScalarClass = []
        if let age = properties.age, age.major <= 16 {
            switch properties.generalCategory {
            case .uppercaseLetter, .titlecaseLetter: result = [.letter, .wordStart]
            case .lowercaseLetter: result = [.letter, .wordRest]
            case .modifierLetter, .otherLetter: result = [.letter, .wordStart, .wordRest]
            case .nonspacingMark, .spacingMark, .enclosingMark: result = [.wordStart, .wordRest]
            case .decimalNumber, .letterNumber, .otherNumber: result = .number
            default: break
            }
            // Its category has changed: a lowercase letter up to Unicode 16, without case since.
            if scalar == "\u{295}" { result = [.letter, .wordRest] }
        }
        if let age = properties.age, age.major <= 17 {
            switch properties.generalCategory {
            case .decimalNumber, .letterNumber, .otherNumber: result.insert(.numeric)
            default: break
            }
        }
        if properties.isWhitespace { result.insert(.space) }
        if scalar == "\r" || scalar == "\n" { result.insert(.newline) }
        self = result
    }

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The classes of the scalars below U+10000; surrogates have none. Never freed.
    nonisolated(unsafe) static let basicPlane: UnsafePointer<ScalarClass> = {
        let table = UnsafeMutablePointer<ScalarClass>.allocate(capacity: 0x10000)
        for value in 0..<UInt32(0x10000) {
            let scalarClass = Unicode.Scalar(value).map(ScalarClass.init(of:)) ?? []
            (table + Int(value)).initialize(to: scalarClass)
        }
        return UnsafePointer(table)
    }()
}
