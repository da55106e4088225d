extension TemplateLexer {
    private static let longSymbols: [StaticString] = ["//", "**", "==", "!=", ">=", "<="]

    /// Reads what is within a tag, and its end. Within parentheses nothing ends a tag.
    mutating func readTag(closing: Unicode.Scalar) throws {
        let begin = line
        var open: [Unicode.Scalar] = []
        while place < source.count {
            if open.isEmpty, let end = tagEnd(at: place, closing: closing, trims: closing == "%") {
                add(closing == "%" ? .tagEnd : .outputEnd)
                advance(to: end)
                return
            }

            let scalar = source[place]
            if scalar.isPythonSpace {
                advance(to: skippingSpace(from: place))
            } else if scalar.isDigit {
                try readNumber()
            } else if scalar.beginsName {
                readName()
            } else if scalar == "'" || scalar == "\"" {
                try readString(quote: scalar)
            } else {
                try readSymbol(&open)
            }
        }
        throw malformed("a tag that begins in line \(begin) is not closed")
    }

    func malformed(_ problem: String) -> ChatTemplateError { .malformed(line: line, problem: problem) }

    private mutating func readName() {
        let start = place
        while place < source.count, source[place].beginsName || source[place].isDigit { place += 1 }
        add(.name(Text(scalars: source[start..<place]).string))
    }

    private mutating func readSymbol(_ open: inout [Unicode.Scalar]) throws {
        if let symbol = Self.longSymbols.first(where: { has($0, at: place) }) {
            add(.symbol(symbol.description))
            place += 2
            return
        }

        let scalar = source[place]
        switch scalar {
        case "(": open.append(")")
        case "[": open.append("]")
        case "{": open.append("}")
        case ")", "]", "}":
            guard open.popLast() == scalar else { throw malformed("unexpected '\(scalar)'") }
        case "+", "-", "*", "/", "%", "~", ">", "<", "=", ".", ":", "|", ",": break
        case ";": throw ChatTemplateError.malformed(line: line, problem: "unexpected ';'")
        default:
            guard scalar.isASCII else {
                throw ChatTemplateError.unsupported(line: line, construct: "the character '\(scalar)' within a tag")
            }
            throw malformed("unexpected '\(scalar.escaped(asASCII: true))'")
        }
        add(.symbol(String(scalar)))
        place += 1
    }

    /// Digits, with single underscores between them.
    private func digits(from start: Int, where isDigit: (Unicode.Scalar) -> Bool = \.isDigit) -> Int? {
        var index = start
        guard index < source.count, isDigit(source[index]) else { return nil }
        while index < source.count {
            if isDigit(source[index]) {
                index += 1
            } else if source[index] == "_", index + 1 < source.count, isDigit(source[index + 1]) {
                index += 2
            } else {
                break
            }
        }
        return index
    }

    private mutating func readNumber() throws {
        if try readPrefixedInteger() { return }
        guard let whole = digits(from: place) else { return }
        var end = whole
        // Behind a point stands an index: `a.0.1`.
        let followsPoint = place > 0 && source[place - 1] == "."
        if !followsPoint {
            if end < source.count, source[end] == ".", let fraction = digits(from: end + 1) { end = fraction }
            if end < source.count, source[end] == "e" || source[end] == "E" {
                let signed = end + 1 < source.count && (source[end + 1] == "+" || source[end + 1] == "-")
                if let exponent = digits(from: end + (signed ? 2 : 1)) { end = exponent }
            }
        }

        let spelling = String(Text(scalars: source[place..<end].filter { $0 != "_" }).string)
        if end > whole {
            guard let number = Double(spelling) else { throw malformed("the number \(spelling)") }
            add(.number(number))
        } else {
            // 007 is not a number in Jinja; it reads as several, which no expression takes.
            guard source[place] != "0" || spelling.allSatisfy({ $0 == "0" }) else {
                throw malformed("a number with leading zeros")
            }
            try addInteger(Int(spelling))
        }
        place = end
    }

    /// 0x…, 0o…, 0b…
    private mutating func readPrefixedInteger() throws -> Bool {
        guard source[place] == "0", place + 1 < source.count else { return false }
        let radix: Int
        switch source[place + 1] {
        case "x", "X": radix = 16
        case "o", "O": radix = 8
        case "b", "B": radix = 2
        default: return false
        }

        let start = place + 2
        let first = start < source.count && source[start] == "_" ? start + 1 : start
        guard let end = digits(from: first, where: { $0.isASCII && Int(String($0), radix: radix) != nil }) else {
            return false
        }
        try addInteger(Int(Text(scalars: source[start..<end].filter { $0 != "_" }).string, radix: radix))
        place = end
        return true
    }

    private mutating func addInteger(_ number: Int?) throws {
        guard let number else {
            throw ChatTemplateError.unsupported(line: line, construct: "a whole number of more than 64 bits")
        }
        add(.integer(number))
    }

    /// A string with Python's escapes.
    private mutating func readString(quote: Unicode.Scalar) throws {
        var text: [Unicode.Scalar] = []
        let begin = line
        var index = place + 1
        while index < source.count, source[index] != quote {
            if source[index] == "\\" {
                guard index + 1 < source.count else { break }
                (text, index) = try appendingEscape(text, at: index + 1)
            } else {
                text.append(source[index])
                index += 1
            }
        }
        guard index < source.count else { throw malformed("a string that begins in line \(begin) is not closed") }
        add(.text(Text(scalars: text)))
        advance(to: index + 1)
    }

    /// The meaning of a backslash escape at an index, and where it ends.
    private func appendingEscape(
        _ text: [Unicode.Scalar], at index: Int
    ) throws -> (text: [Unicode.Scalar], index: Int) {
        let simple: [Unicode.Scalar: Unicode.Scalar] = [
            "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}", "b": "\u{8}", "f": "\u{C}", "n": "\n", "r": "\r",
            "t": "\t", "v": "\u{B}",
        ]
        let scalar = source[index]
        if let meaning = simple[scalar] { return (text + [meaning], index + 1) }
        switch scalar {
        case "\n": return (text, index + 1)
        case "x", "u", "U":
            let length = scalar == "x" ? 2 : scalar == "u" ? 4 : 8
            let end = index + 1 + length
            guard end <= source.count, source[(index + 1)..<end].allSatisfy({ $0.properties.isASCIIHexDigit }) else {
                throw malformed("a '\\\(scalar)' without \(length) hexadecimal digits")
            }

            let digits = Text(scalars: source[(index + 1)..<end]).string
            guard let meaning = UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init) else {
                throw ChatTemplateError.unsupported(line: line, construct: "'\\\(scalar)\(digits)', no character,")
            }
            return (text + [meaning], end)
        case "0"..."7":
            var (value, end): (UInt32, Int) = (0, index)
            while end < min(index + 3, source.count), case let digit = source[end].value, (0x30...0x37).contains(digit)
            {
                value = value * 8 + digit - 0x30
                end += 1
            }
            return (text + [Unicode.Scalar(value) ?? "\u{FFFD}"], end)
        case "N": throw ChatTemplateError.unsupported(line: line, construct: "a character by its name")
        default:
            // Jinja makes ASCII of a string before it reads escapes, so that a backslash before ü meets another one.
            let meaning = scalar.isASCII ? [scalar] : Array(scalar.numberEscape.unicodeScalars.dropFirst())
            return (text + ["\\"] + meaning, index + 1)
        }
    }
}

extension Unicode.Scalar {
    var isDigit: Bool { (0x30...0x39).contains(value) }

    /// Jinja takes letters of all scripts; templates are written with these.
    var beginsName: Bool {
        (0x41...0x5A).contains(value) || (0x61...0x7A).contains(value) || self == "_"
    }
}
