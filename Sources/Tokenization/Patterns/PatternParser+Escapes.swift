extension PatternParser {
    /// What a backslash stands for inside and outside of brackets.
    enum Escaped {
        case scalar(Unicode.Scalar)
        case set(ScalarSet)
    }

    /// The element behind a backslash outside of brackets.
    mutating func escape(from start: Int) throws(PatternError) -> PatternNode {
        let letter = next
        position += 1
        switch letter {
        case "A": return .anchor(.textStart)
        case "z": return .anchor(.textEnd)
        case "Z": return .anchor(.lastLineEnd)
        case "b": return .anchor(.wordBoundary)
        case "B": return .anchor(.noWordBoundary)
        case "N": return .scalar(ScalarSet.newline.inverted)
        case "O": return .scalar(.everything)
        case "R":
            let breaks = ScalarSet([0xA...0xD, 0x85...0x85, 0x2028...0x2029])
            let pair = PatternNode.sequence([.scalar(ScalarSet("\r")), .scalar(ScalarSet("\n"))])
            return .atomic(.alternatives([pair, .scalar(breaks)]))
        case "1", "2", "3", "4", "5", "6", "7", "8", "9", "k":
            throw unsupported("a back-reference", at: start)
        case "g": throw unsupported("a call of a group", at: start)
        case "G", "K", "X", "y", "Y":
            throw unsupported("\\\(letter.map { String($0) } ?? "")", at: start)
        default: position -= 1
        }
        switch try commonEscape(from: start) {
        case .scalar(let scalar): return .scalar(try folded(ScalarSet(scalar), at: start))
        case .set(let set) where set == .word: return .scalar(.bareWord)
        case .set(let set): return .scalar(set == ScalarSet.word.inverted ? ScalarSet.bareWord.inverted : set)
        }
    }

    /// The escapes that mean the same inside and outside of brackets.
    mutating func commonEscape(from start: Int) throws(PatternError) -> Escaped {
        guard let letter = next else { throw malformed("a backslash at the end", at: start) }
        position += 1
        switch letter {
        case "t": return .scalar("\t")
        case "n": return .scalar("\n")
        case "r": return .scalar("\r")
        case "f": return .scalar("\u{C}")
        case "v": return .scalar("\u{B}")
        case "a": return .scalar("\u{7}")
        case "e": return .scalar("\u{1B}")
        case "s": return .set(.space)
        case "S": return .set(ScalarSet.space.inverted)
        case "d": return .set(.digit)
        case "D": return .set(ScalarSet.digit.inverted)
        case "w": return .set(.word)
        case "W": return .set(ScalarSet.word.inverted)
        case "h": return .set(.hexadecimal)
        case "H": return .set(ScalarSet.hexadecimal.inverted)
        case "p", "P":
            guard next == "{" else { return .scalar(letter) }
            return .set(try property(isNegated: letter == "P", from: start))
        case "x":
            if take("{") { return .scalar(try codePoint(digits: 1...8, closing: true, from: start)) }
            return .scalar(try codePoint(digits: 0...2, closing: false, from: start))
        case "u": return .scalar(try codePoint(digits: 4...4, closing: false, from: start))
        case "0": return .scalar(octal())
        case "c", "C", "M": throw unsupported("a control character \\\(letter)", at: start)
        case "o" where next == "{": throw unsupported("an octal \\o", at: start)
        default: return .scalar(letter)
        }
    }

    /// `{name}` or `{^name}`.
    private mutating func property(isNegated: Bool, from start: Int) throws(PatternError) -> ScalarSet {
        position += 1
        let isInverted = take("^") != isNegated
        guard let end = scalars[position...].prefix(64).firstIndex(of: "}") else {
            throw malformed("a property without its \"}\"", at: start)
        }
        let name = String(String.UnicodeScalarView(scalars[position..<end]))
        position = end + 1
        guard let set = ScalarSet.property(name) else {
            throw unsupported("the property \\p{\(name.filter { $0.isASCII && $0 >= " " })}", at: start)
        }
        return isInverted ? set.inverted : set
    }

    private mutating func codePoint(
        digits: ClosedRange<Int>, closing: Bool, from start: Int
    ) throws(PatternError) -> Unicode.Scalar {
        var value: UInt32 = 0
        var count = 0
        while count < digits.upperBound, let digit = next.flatMap({ $0.isASCII ? Character($0).hexDigitValue : nil }) {
            value = value << 4 | UInt32(digit)
            count += 1
            position += 1
        }
        guard count >= digits.lowerBound, !closing || take("}") else {
            throw malformed("an incomplete number of a character", at: start)
        }
        guard closing || digits.upperBound != 2 || value < 0x80 else {
            throw unsupported("a single byte above 7F", at: start)
        }
        guard let scalar = Unicode.Scalar(value) else {
            throw unsupported("the number of no character", at: start)
        }
        return scalar
    }

    /// Up to two octal digits behind `\0`.
    private mutating func octal() -> Unicode.Scalar {
        var value: UInt8 = 0
        for _ in 0..<2 {
            guard let scalar = next, ("0"..."7").contains(scalar) else { break }
            value = value << 3 | UInt8(scalar.value - 0x30)
            position += 1
        }
        return Unicode.Scalar(value)
    }
}
