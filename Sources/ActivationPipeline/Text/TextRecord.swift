import Glibc

/// A line of a `.jsonl` file: an object with a string `text`, and optional strings `title` and
/// `source`.
///
/// Nothing else is checked: other keys may hold anything that programs write, such as NaN, huge numbers, half
/// surrogates or values nested to any depth. Of repeated keys the last counts. `JSONParser` would check and build all
/// values that are skipped here.
struct TextRecord {
    /// The reason why a line is not a record, as a phrase.
    struct Problem: Error {
        let phrase: String
    }

    /// The contents of the strings, between their quotation marks; nil where there is no string.
    private(set) var text: Range<Int>?
    private(set) var title: Range<Int>?
    private(set) var source: Range<Int>?

    /// The kind of value of a `text` that is not a string; nil without the key.
    private var otherText: String?

    private let bytes: UnsafeRawBufferPointer
    private var offset = 0
    /// The arrays and objects that are open, by their first characters.
    private var open: [UInt8] = []

    /// Reads a line.
    ///
    /// - Parameter bytes: its bytes, which have to stay as long as the record.
    init(_ bytes: UnsafeRawBufferPointer) throws(Problem) {
        self.bytes = bytes
        if bytes.starts(with: TextEncoding.utf8Mark) { offset = 3 }
        skipSpace()
        guard take("{") else { throw Problem(phrase: "it is \(isValue(next) ? valueKind(next) : "no JSON")") }
        skipSpace()
        if !take("}") {
            repeat {
                let key = try key()
                let kind = valueKind(next)
                let start = offset
                try skipValue()
                // Without the quotation marks, where it is a string.
                note(key, kind == "a string" ? start + 1..<offset - 1 : nil, kind)
                skipSpace()
            } while try !isAtEnd()
        }
        skipSpace()
        guard offset == bytes.count else { throw Problem(phrase: "something follows the object") }
        guard text != nil else {
            throw Problem(phrase: otherText.map { "its 'text' is \($0)" } ?? "it has no key 'text'")
        }
    }

    private mutating func note(_ key: Range<Int>, _ string: Range<Int>?, _ kind: String) {
        if isKey(key, "text") {
            text = string
            otherText = kind
        } else if isKey(key, "title") {
            title = string
        } else if isKey(key, "source") {
            source = string
        }
    }

    private func isKey(_ range: Range<Int>, _ name: StaticString) -> Bool {
        let raw = UnsafeRawBufferPointer(rebasing: bytes[range])
        let name = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        if raw.elementsEqual(name) { return true }
        // A key may be spelt with escapes.
        guard raw.contains(UInt8(ascii: "\\")), raw.count <= 6 * name.count else { return false }
        return (try? JSONStringContent(raw))?.utf8.elementsEqual(name) ?? false
    }

    /// The next byte, 0 at the end.
    private var next: UInt8 { offset < bytes.count ? bytes[offset] : 0 }

    private mutating func skipSpace() {
        while offset < bytes.count, bytes[offset] == 0x20 || (0x09...0x0D).contains(bytes[offset]) { offset += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    private func valueKind(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "\""): "a string"
        case UInt8(ascii: "{"): "an object"
        case UInt8(ascii: "["): "an array"
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): "a number"
        case UInt8(ascii: "n"): "null"
        case UInt8(ascii: "t"), UInt8(ascii: "f"): "a boolean"
        default: "no string"
        }
    }

    /// Whether a line that begins like this is meant as JSON rather than plain text.
    private func isValue(_ byte: UInt8) -> Bool {
        [UInt8(ascii: "\""), UInt8(ascii: "[")].contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private func malformed(_ expected: String) -> Problem {
        Problem(
            phrase: offset < bytes.count
                ? "at byte \(offset) of the line \(expected) is missing"
                : "it ends in the middle, where \(expected) is missing")
    }

    /// Takes a key with its colon.
    private mutating func key() throws(Problem) -> Range<Int> {
        skipSpace()
        guard next == UInt8(ascii: "\"") else { throw malformed("a key") }
        let key = try string()
        skipSpace()
        guard take(":") else { throw malformed("a colon") }
        skipSpace()
        return key
    }

    /// Whether the innermost object or array ends here; else takes the comma.
    private mutating func isAtEnd(_ end: Unicode.Scalar = "}") throws(Problem) -> Bool {
        if take(end) { return true }
        guard take(",") else { throw malformed("a comma or '\(end)'") }
        return false
    }

    /// Takes a string; returns what is between its quotation marks.
    private mutating func string() throws(Problem) -> Range<Int> {
        offset += 1
        let start = offset
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: "\""):
                offset += 1
                return start..<offset - 1
            case UInt8(ascii: "\\"): offset += 2
            default: offset += 1
            }
        }
        offset = bytes.count
        throw malformed("the end of a string")
    }

    /// Skips a value of any kind, without recursion.
    private mutating func skipValue() throws(Problem) {
        repeat {
            skipSpace()
            switch next {
            case UInt8(ascii: "\""): _ = try string()
            case UInt8(ascii: "{"):
                offset += 1
                skipSpace()
                open.append(UInt8(ascii: "{"))
                if next != UInt8(ascii: "}") {
                    _ = try key()
                    continue
                }
            case UInt8(ascii: "["):
                offset += 1
                skipSpace()
                open.append(UInt8(ascii: "["))
                if next != UInt8(ascii: "]") { continue }
            default: try skipWord()
            }
            try closeAll()
        } while !open.isEmpty
    }

    /// After a value: takes the closing brackets that follow, or else the comma and the key before the next value.
    private mutating func closeAll() throws(Problem) {
        while let innermost = open.last {
            skipSpace()
            if innermost == UInt8(ascii: "{") {
                guard try isAtEnd() else {
                    _ = try key()
                    return
                }
            } else {
                guard try isAtEnd("]") else { return }
            }
            open.removeLast()
        }
    }

    /// Skips a number or a literal.
    private mutating func skipWord() throws(Problem) {
        let start = offset
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"):
                offset += 1
                continue
            default: break
            }
            break
        }
        guard offset > start else { throw malformed("a value") }
    }
}
