extension JSONParser {
    /// A string, whose quotation mark comes next.
    mutating func string() throws(JSONProblem) -> String {
        position += 1
        var text = ""
        while true {
            let start = position
            while position < bytes.count, case let byte = bytes[position], byte != UInt8(ascii: "\""),
                byte != UInt8(ascii: "\\"), byte >= 0x20
            {
                position += 1
            }
            guard position < bytes.count else { throw problem(.openString) }
            // What ends a stretch does not occur within a scalar.
            let bytes = UnsafeBufferPointer(rebasing: bytes[start..<position])
            guard let stretch = String(validating: bytes, as: UTF8.self) else { throw problem(.notUTF8, at: start) }
            if text.isEmpty { text = stretch } else { text += stretch }
            let end = self.bytes[position]
            guard end >= 0x20 else { throw problem(.controlCharacter) }
            position += 1
            if end == UInt8(ascii: "\"") { return text }
            text.unicodeScalars.append(try escape())
        }
    }

    /// An escape, after its backslash.
    private mutating func escape() throws(JSONProblem) -> Unicode.Scalar {
        guard position < bytes.count else { throw problem(.unknownEscape) }
        position += 1
        switch bytes[position - 1] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try escapedScalar()
        default: throw problem(.unknownEscape, at: position - 1)
        }
    }

    /// The scalar of one or two escapes, after the first `\u`.
    private mutating func escapedScalar() throws(JSONProblem) -> Unicode.Scalar {
        let unit = try codeUnit()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        // A code unit that is not a scalar is a surrogate; only a pair of them is valid.
        guard UTF16.isLeadSurrogate(unit), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { throw problem(.halfSurrogate) }
        position += 2
        let trail = try codeUnit()
        guard UTF16.isTrailSurrogate(trail),
            let scalar = Unicode.Scalar(0x10000 + UInt32(unit & 0x3FF) << 10 + UInt32(trail & 0x3FF))
        else { throw problem(.halfSurrogate) }
        return scalar
    }

    private mutating func codeUnit() throws(JSONProblem) -> UInt16 {
        let isCut = position + 4 > bytes.count
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard position < bytes.count, let digit = Self.hexadecimalValue(of: bytes[position]) else {
                throw problem(isCut ? .openEscape : .noHexadecimalDigit)
            }
            unit = unit << 4 | digit
            position += 1
        }
        return unit
    }

    private static func hexadecimalValue(of byte: UInt8) -> UInt16? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt16($0) }
    }
}
