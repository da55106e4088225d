/// Scans the JSON of a safetensors header, one lexical element at a time.
///
/// `JSONParser` is not used here: its values lack the byte offsets of keys and numbers,
/// which errors name; and an untrusted header of 100 MB would become a far larger tree before
/// any check. The header's grammar is fixed and three levels deep, so this scanner never recurses and holds
/// only its position.
struct HeaderScanner {
    private let bytes: UnsafeRawBufferPointer
    /// Offset of `bytes` in the file, for messages.
    private let base: Int
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer, base: Int) {
        self.bytes = bytes
        self.base = base
    }

    /// The current offset in the file.
    var offset: Int { base + position }

    private func failure(_ expected: String) -> SafetensorsMalformation {
        .invalidJSON(offset: offset, expected: expected)
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

    mutating func expect(_ character: Unicode.Scalar) throws(SafetensorsMalformation) {
        guard peek() == UInt8(ascii: character) else { throw failure("'\(character)'") }
        position += 1
    }

    /// Consumes `character` if it comes next.
    mutating func accept(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func expectEnd() throws(SafetensorsMalformation) {
        guard peek() == nil else { throw failure("the end of the header") }
    }

    /// Calls `entry` with each key of an object and the offset of that key; `entry` consumes the value.
    mutating func object(
        _ entry: (inout HeaderScanner, String, Int) throws(SafetensorsMalformation) -> Void
    ) throws(SafetensorsMalformation) {
        try expect("{")
        if accept("}") { return }
        repeat {
            _ = peek()
            let keyOffset = offset
            let key = try string()
            try expect(":")
            try entry(&self, key, keyOffset)
        } while accept(",")
        try expect("}")
    }

    /// An array of whole numbers.
    mutating func naturalNumbers() throws(SafetensorsMalformation) -> [Int] {
        try expect("[")
        if accept("]") { return [] }
        var numbers: [Int] = []
        repeat { numbers.append(try naturalNumber()) } while accept(",")
        try expect("]")
        return numbers
    }

    private mutating func naturalNumber() throws(SafetensorsMalformation) -> Int {
        guard let first = peek() else { throw failure("a number") }
        let start = offset
        // These begin or continue numbers that JSON allows and the format does not.
        let foreign: Set<UInt8> = [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")]
        guard Self.digits.contains(first) else {
            throw first == UInt8(ascii: "-") ? .invalidNumber(offset: start) : failure("a number")
        }

        var value = 0
        var length = 0
        while position < bytes.count, Self.digits.contains(bytes[position]) {
            let (scaled, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = scaled.addingReportingOverflow(Int(bytes[position] - UInt8(ascii: "0")))
            guard !overflowed, !carried else { throw .invalidNumber(offset: start) }
            value = sum
            position += 1
            length += 1
        }

        let hasLeadingZero = first == UInt8(ascii: "0") && length > 1
        if hasLeadingZero || (position < bytes.count && foreign.contains(bytes[position])) {
            throw .invalidNumber(offset: start)
        }
        return value
    }

    private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

    /// A JSON string, its escapes resolved.
    mutating func string() throws(SafetensorsMalformation) -> String {
        guard accept("\"") else { throw failure("a string") }
        var scalars: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                // The whole header was found to be UTF-8 and quotation marks do not occur inside a scalar.
                return String(decoding: scalars, as: UTF8.self)
            case UInt8(ascii: "\\"):
                position += 1
                scalars.append(contentsOf: String(try escape()).utf8)
            case ..<0x20:
                throw failure("an escape instead of a control character")
            default:
                scalars.append(byte)
                position += 1
            }
        }
        throw failure("the closing '\"' of a string")
    }

    private mutating func escape() throws(SafetensorsMalformation) -> Unicode.Scalar {
        guard position < bytes.count else { throw failure("an escape") }
        let kind = bytes[position]
        position += 1
        switch kind {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let unit = try hexadecimalUnit()
            if let scalar = Unicode.Scalar(unit) { return scalar }
            // A code unit that is not a scalar is a surrogate; only a pair of them is valid.
            guard unit < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            else { throw failure("a surrogate pair") }
            position += 2
            let low = try hexadecimalUnit()
            guard (0xDC00...0xDFFF).contains(low),
                let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
            else { throw failure("a surrogate pair") }
            return scalar
        default:
            position -= 1
            throw failure("an escape")
        }
    }

    private mutating func hexadecimalUnit() throws(SafetensorsMalformation) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw failure("a hexadecimal digit")
            }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }
}
