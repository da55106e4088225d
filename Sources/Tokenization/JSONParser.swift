/// Reads JSON text into a `JSONValue`.
struct JSONParser {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    /// How many arrays and objects are open.
    private var depth = 0
    /// More than any tokenizer has and far less than would exhaust the stack.
    private static let maximumDepth = 100

    /// Parses a whole document.
    static func parse(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONValue.SyntaxError) -> JSONValue {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw JSONValue.SyntaxError(offset: 0, expected: "UTF-8")
        }

        var parser = JSONParser(bytes)
        let value = try parser.value()
        guard parser.peek() == nil else { throw parser.failure("the end of the document") }
        return value
    }

    private init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private func failure(_ expected: String) -> JSONValue.SyntaxError {
        JSONValue.SyntaxError(offset: position, expected: expected)
    }

    /// The next byte that is not white space, not consumed; nil at the end.
    private mutating func peek() -> UInt8? {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            case let byte: return byte
            }
        }
        return nil
    }

    /// Consumes a character if it comes next.
    private mutating func accept(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(JSONValue.SyntaxError) {
        guard accept(character) else { throw failure("'\(character)'") }
    }

    private mutating func value() throws(JSONValue.SyntaxError) -> JSONValue {
        switch peek() {
        case UInt8(ascii: "{"): return .object(try members())
        case UInt8(ascii: "["): return .array(try elements())
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return try number()
        default:
            if accept(word: "true") { return .bool(true) }
            if accept(word: "false") { return .bool(false) }
            if accept(word: "null") { return .null }
            throw failure("a value")
        }
    }

    private mutating func accept(word: StaticString) -> Bool {
        let end = position + word.utf8CodeUnitCount
        guard end <= bytes.count,
            word.withUTF8Buffer({ $0.elementsEqual(bytes[position..<end]) })
        else { return false }
        position = end
        return true
    }

    private mutating func open(_ bracket: Unicode.Scalar) throws(JSONValue.SyntaxError) {
        guard depth < Self.maximumDepth else { throw failure("at most \(Self.maximumDepth) levels") }
        try expect(bracket)
        depth += 1
    }

    private mutating func members() throws(JSONValue.SyntaxError) -> [JSONValue.Member] {
        try open("{")
        defer { depth -= 1 }
        if accept("}") { return [] }
        var members: [JSONValue.Member] = []
        var names: Set<[UInt8]> = []
        repeat {
            guard peek() == UInt8(ascii: "\"") else { throw failure("a name") }
            let start = position
            let name = try string()
            guard names.insert(Array(name.utf8)).inserted else {
                throw JSONValue.SyntaxError(
                    offset: start, expected: "a name other than \"\(name)\", which occurs before,")
            }
            try expect(":")
            members.append(JSONValue.Member(name: name, value: try value()))
        } while accept(",")
        try expect("}")
        return members
    }

    private mutating func elements() throws(JSONValue.SyntaxError) -> [JSONValue] {
        try open("[")
        defer { depth -= 1 }
        if accept("]") { return [] }
        var elements: [JSONValue] = []
        repeat { elements.append(try value()) } while accept(",")
        try expect("]")
        return elements
    }

    private mutating func number() throws(JSONValue.SyntaxError) -> JSONValue {
        let isNegative = accept("-")
        var isInteger = true
        var magnitude = 0
        let start = position
        try digits { digit in
            let (scaled, overflowed) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carried) = scaled.addingReportingOverflow(digit)
            magnitude = sum
            if overflowed || carried { isInteger = false }
        }
        guard bytes[start] != UInt8(ascii: "0") || position == start + 1 else {
            throw JSONValue.SyntaxError(offset: start, expected: "a number without leading zeros")
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            isInteger = false
            try digits { _ in }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            isInteger = false
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            try digits { _ in }
        }
        if isInteger { return .integer(isNegative ? -magnitude : magnitude) }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        // Digits beyond the range of a Double make an infinity, as in other readers.
        let value = Double(text) ?? .infinity
        return .otherNumber(isNegative ? -value : value)
    }

    /// At least one digit.
    private mutating func digits(_ body: (Int) -> Void) throws(JSONValue.SyntaxError) {
        let start = position
        while position < bytes.count, case let byte = bytes[position], (0x30...0x39).contains(byte) {
            body(Int(byte - 0x30))
            position += 1
        }
        guard position > start else { throw failure("a digit") }
    }

    private mutating func string() throws(JSONValue.SyntaxError) -> String {
        try expect("\"")
        var text = ""
        while true {
            let start = position
            while position < bytes.count, case let byte = bytes[position], byte != UInt8(ascii: "\""),
                byte != UInt8(ascii: "\\"), byte >= 0x20
            {
                position += 1
            }
            // The document is UTF-8, and what ends a stretch does not occur inside a scalar.
            let stretch = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
            if text.isEmpty { text = stretch } else { text += stretch }
            guard position < bytes.count, bytes[position] >= 0x20 else { throw failure("the end of a string") }
            position += 1
            if bytes[position - 1] == UInt8(ascii: "\"") { return text }
            text.unicodeScalars.append(try escape())
        }
    }

    /// What follows a backslash.
    private mutating func escape() throws(JSONValue.SyntaxError) -> Unicode.Scalar {
        guard position < bytes.count else { throw failure("an escape") }
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
        case UInt8(ascii: "u"):
            let unit = try codeUnit()
            if let scalar = Unicode.Scalar(unit) { return scalar }
            // What is no scalar is a surrogate, and only a pair of them means something.
            guard UTF16.isLeadSurrogate(unit), accept(word: "\\u"), case let trail = try codeUnit(),
                UTF16.isTrailSurrogate(trail),
                let scalar = Unicode.Scalar(0x10000 + UInt32(unit & 0x3FF) << 10 + UInt32(trail & 0x3FF))
            else { throw failure("a pair of surrogates") }
            return scalar
        default:
            position -= 1
            throw failure("an escape")
        }
    }

    private mutating func codeUnit() throws(JSONValue.SyntaxError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw failure("a hexadecimal digit")
            }
            unit = unit << 4 | UInt16(digit)
            position += 1
        }
        return unit
    }
}
