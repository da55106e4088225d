import Glibc

/// The content of a JSON string, its escapes resolved.
///
/// Half surrogates, which `JSONParser` refuses, are counted and replaced, since text from the web contains them.
struct JSONStringContent {
    /// The bytes: valid UTF-8 as far as the string's own bytes are.
    private(set) var utf8: [UInt8] = []
    /// Escapes that are half of a surrogate pair, replaced by U+FFFD.
    private(set) var halfSurrogates = 0

    /// Resolves the escapes of what is between the quotation marks.
    ///
    /// - Throws: `TextRecord.Problem` for an escape that JSON does not have.
    init(_ raw: UnsafeRawBufferPointer) throws(TextRecord.Problem) {
        guard let base = raw.baseAddress else { return }
        utf8.reserveCapacity(raw.count)
        var position = 0
        while position < raw.count {
            let found = memchr(base + position, 0x5C, raw.count - position)
            let end = found.map { UnsafeRawPointer($0) - base } ?? raw.count
            utf8.append(contentsOf: UnsafeRawBufferPointer(rebasing: raw[position..<end]))
            position = end
            if position < raw.count { position += try append(escape: raw, at: position) }
        }
    }

    /// Appends what an escape stands for; returns its length.
    private mutating func append(escape raw: UnsafeRawBufferPointer, at start: Int) throws(TextRecord.Problem) -> Int {
        let character = start + 1 < raw.count ? raw[start + 1] : 0
        switch character {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): utf8.append(character)
        case UInt8(ascii: "b"): utf8.append(0x08)
        case UInt8(ascii: "f"): utf8.append(0x0C)
        case UInt8(ascii: "n"): utf8.append(0x0A)
        case UInt8(ascii: "r"): utf8.append(0x0D)
        case UInt8(ascii: "t"): utf8.append(0x09)
        case UInt8(ascii: "u"):
            guard let code = JSONStringContent.code(in: raw, at: start) else {
                throw TextRecord.Problem(phrase: "its 'text' has \\u without four hexadecimal digits")
            }
            if code & 0xFC00 == 0xD800, let low = JSONStringContent.code(in: raw, at: start + 6),
                low & 0xFC00 == 0xDC00,
                let scalar = Unicode.Scalar(0x10000 + (code & 0x3FF) << 10 + low & 0x3FF)
            {
                append(scalar)
                return 12
            }
            if Unicode.Scalar(code) == nil { halfSurrogates += 1 }
            append(Unicode.Scalar(code) ?? "\u{FFFD}")
            return 6
        default: throw TextRecord.Problem(phrase: "its 'text' has an escape that JSON does not know")
        }
        return 2
    }

    private mutating func append(_ scalar: Unicode.Scalar) { utf8.append(contentsOf: String(scalar).utf8) }

    /// The number of `\uXXXX` at a place; nil where there is none.
    private static func code(in raw: UnsafeRawBufferPointer, at start: Int) -> UInt32? {
        guard start + 6 <= raw.count, raw[start] == UInt8(ascii: "\\"), raw[start + 1] == UInt8(ascii: "u") else {
            return nil
        }
        return raw[start + 2..<start + 6].reduce(UInt32?.some(0)) { code, byte in
            guard byte < 0x80, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            return code.map { $0 << 4 | UInt32(digit) }
        }
    }
}
