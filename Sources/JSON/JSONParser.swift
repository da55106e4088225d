package import Foundation

/// Why some bytes are not JSON, as a phrase without any of the bytes.
package struct JSONProblem: Error, Equatable {
    /// The phrase.
    package let reason: String
    /// Where it is, in bytes.
    package let offset: Int
}

/// A strict reader of RFC 8259: any bytes give a value or a `JSONProblem`, and nothing traps.
///
/// Refused beyond the grammar: invalid UTF-8, lone surrogates, repeated keys, numbers that no finite double holds, and
/// nesting beyond `maximumDepth`, which bounds the stack.
package struct JSONParser {
    /// Levels of arrays and objects within each other that are read.
    package static let maximumDepth = 64

    private let bytes: [UInt8]
    private let ignoresCaseOfWords: Bool
    private var offset = 0

    /// Reads a text that holds one value and nothing else.
    ///
    /// - Parameter ignoresCaseOfWords: takes `True` for `true` and the like, which no JSON has.
    package static func parse(_ text: Data, ignoringCaseOfWords ignoresCaseOfWords: Bool = false) throws(JSONProblem)
        -> JSONValue
    {
        var parser = JSONParser(bytes: Array(text), ignoresCaseOfWords: ignoresCaseOfWords)
        parser.skipSpace()
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.offset == parser.bytes.count else { throw parser.problem("text after the end") }
        return value
    }

    private init(bytes: [UInt8], ignoresCaseOfWords: Bool) {
        self.bytes = bytes
        self.ignoresCaseOfWords = ignoresCaseOfWords
    }

    private func problem(_ reason: String) -> JSONProblem { JSONProblem(reason: reason, offset: offset) }

    /// The next byte, 0 at the end: no token begins with it.
    private var next: UInt8 { offset < bytes.count ? bytes[offset] : 0 }

    private mutating func skipSpace() {
        while offset < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[offset]) { offset += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    private mutating func take(word: StaticString) -> Bool {
        let word = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        let isThere =
            ignoresCaseOfWords
            ? bytes[offset...].starts(with: word) { ($0 &- 0x41 < 26 ? $0 | 0x20 : $0) == $1 }
            : bytes[offset...].starts(with: word)
        guard isThere else { return false }
        offset += word.count
        return true
    }

    private mutating func value(depth: Int) throws(JSONProblem) -> JSONValue {
        guard depth <= Self.maximumDepth else { throw problem("nested too deeply") }
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default:
            if take(word: "true") { return .boolean(true) }
            if take(word: "false") { return .boolean(false) }
            if take(word: "null") { return .null }
            throw problem(offset < bytes.count ? "no value" : "it ends too early")
        }
    }

    private mutating func object(depth: Int) throws(JSONProblem) -> JSONValue {
        var members: [String: JSONValue] = [:]
        offset += 1
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            guard next == UInt8(ascii: "\"") else { throw problem("no key") }
            let key = try string()
            skipSpace()
            guard take(":") else { throw problem("no colon after a key") }
            skipSpace()
            guard members.updateValue(try value(depth: depth + 1), forKey: key) == nil else {
                throw problem("a key is repeated")
            }
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw problem("an object goes on without a comma") }
            skipSpace()
        }
    }

    private mutating func array(depth: Int) throws(JSONProblem) -> JSONValue {
        var elements: [JSONValue] = []
        offset += 1
        skipSpace()
        if take("]") { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw problem("an array goes on without a comma") }
            skipSpace()
        }
    }

    private mutating func digits() -> Int {
        let start = offset
        while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) { offset += 1 }
        return offset - start
    }

    private mutating func number() throws(JSONProblem) -> JSONValue {
        let start = offset
        _ = take("-")
        let leadsWithZero = next == UInt8(ascii: "0")
        let whole = digits()
        guard whole > 0, whole == 1 || !leadsWithZero else { throw problem("a malformed number") }
        var isInteger = true
        if take(".") {
            isInteger = false
            guard digits() > 0 else { throw problem("a malformed number") }
        }
        if next | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            offset += 1
            if !take("+") { _ = take("-") }
            guard digits() > 0 else { throw problem("a malformed number") }
        }

        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isInteger, let integer = Int(text) { return .integer(integer) }
        guard let double = Double(text), double.isFinite else { throw problem("a number out of range") }
        return .number(double)
    }

    private mutating func string() throws(JSONProblem) -> String {
        var content: [UInt8] = []
        offset += 1
        while true {
            guard offset < bytes.count else { throw problem("a string without an end") }
            let byte = bytes[offset]
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: content, as: UTF8.self) else { throw problem("invalid UTF-8") }
                return string
            case UInt8(ascii: "\\"): content += try escaped()
            case 0..<0x20: throw problem("a control character in a string")
            default: content.append(byte)
            }
        }
    }

    /// The UTF-8 of an escape, after its backslash.
    private mutating func escaped() throws(JSONProblem) -> [UInt8] {
        let byte = next
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var code = try fourDigits()
            if (0xD800...0xDBFF).contains(code) {
                guard take("\\"), take("u") else { throw problem("half a surrogate pair") }
                let low = try fourDigits()
                guard (0xDC00...0xDFFF).contains(low) else { throw problem("half a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw problem("half a surrogate pair") }
            return Array(String(Character(scalar)).utf8)
        default: throw problem("an unknown escape")
        }
    }

    private mutating func fourDigits() throws(JSONProblem) -> UInt32 {
        guard offset + 4 <= bytes.count else { throw problem("a string without an end") }
        var code: UInt32 = 0
        for byte in bytes[offset..<offset + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw problem("an unknown escape") }
            code = code << 4 | UInt32(digit)
        }
        offset += 4
        return code
    }
}
