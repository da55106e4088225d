/// The writer of JSON (RFC 8259); it escapes only the required characters, and those that `escape` adds.
package struct JSONWriter: Sendable {
    /// The line breaks.
    package enum Layout: Sendable {
        /// No line breaks and no spaces.
        case compact
        /// After every member and element, two spaces deeper for each level. An array of values that hold no others stays on
        /// one line.
        case indented
    }

    /// The line breaks.
    package var layout = Layout.compact
    /// Writes members in the order of their names' UTF-8 instead of their own.
    package var sortsMembers = true
    /// The spelling of integers stored as doubles.
    package enum WholeDoubles: Sendable {
        /// As the integer it is, where it is one of 64 bits: equal numbers have one spelling.
        case asIntegers
        /// With its fraction, 1.0.
        case withFraction
        /// Without the fraction, but else as a double: -0, and with an exponent from 2⁵⁴ on.
        case withoutFraction
    }

    /// The spelling of integers stored as doubles.
    package var wholeDoubles = WholeDoubles.asIntegers
    /// Returns the escape of a scalar, or nil for none; called for controls except `\n`, `\r` and `\t`, and for
    /// scalars beyond ASCII.
    package var escape: (@Sendable (Unicode.Scalar) -> String?)?

    /// Writes the canonical form: the one spelling of equal values, without spaces, members in the order of their names'
    /// UTF-8, numbers as the shortest decimal that reads back to the same bits.
    package static let canonical = JSONWriter()

    /// A writer of the canonical form, to be changed.
    package init() {}

    /// A value as text.
    package func text(_ value: JSONValue) -> String { String(decoding: bytes(value), as: UTF8.self) }

    /// A value as UTF-8.
    package func bytes(_ value: JSONValue) -> [UInt8] {
        var text: [UInt8] = []
        append(value, to: &text, margin: 0)
        return text
    }

    /// The numeric escapes of a scalar, one or two.
    package static func escaped(_ scalar: Unicode.Scalar) -> String {
        String(scalar).utf16.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }

    private func append(_ value: JSONValue, to text: inout [UInt8], margin: Int) {
        switch value {
        case .null: text += "null".utf8
        case .boolean(let value): text += (value ? "true" : "false").utf8
        case .integer(let value): text += value.description.utf8
        case .unsigned(let value): text += value.description.utf8
        case .number(let value): text += spelling(of: value).utf8
        case .string(let value): append(value, to: &text)
        case .array(let elements): append(elements, to: &text, margin: margin)
        case .object(let object): append(object, to: &text, margin: margin)
        }
    }

    /// JSON has only finite numbers.
    private func spelling(of value: Double) -> String {
        guard value.isFinite else { return "null" }
        switch wholeDoubles {
        case .asIntegers: return Int(exactly: value)?.description ?? value.description
        case .withFraction: return value.description
        case .withoutFraction:
            return value.description.hasSuffix(".0") ? String(value.description.dropLast(2)) : value.description
        }
    }

    private func append(_ elements: [JSONValue], to text: inout [UInt8], margin: Int) {
        let isBroken = layout == .indented && !elements.allSatisfy(\.isPlain)
        text.append(UInt8(ascii: "["))
        for (index, element) in elements.enumerated() {
            if index > 0 { text += (layout == .indented && !isBroken ? ", " : ",").utf8 }
            if isBroken { breakLine(&text, margin: margin + 2) }
            append(element, to: &text, margin: margin + 2)
        }
        if isBroken { breakLine(&text, margin: margin) }
        text.append(UInt8(ascii: "]"))
    }

    private func append(_ object: JSONObject, to text: inout [UInt8], margin: Int) {
        let isBroken = layout == .indented && !object.members.isEmpty
        text.append(UInt8(ascii: "{"))
        for (index, member) in (sortsMembers ? object.sortedMembers : object.members).enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            if isBroken { breakLine(&text, margin: margin + 2) }
            append(member.name, to: &text)
            text += (isBroken ? ": " : ":").utf8
            append(member.value, to: &text, margin: margin + 2)
        }
        if isBroken { breakLine(&text, margin: margin) }
        text.append(UInt8(ascii: "}"))
    }

    private func breakLine(_ text: inout [UInt8], margin: Int) {
        text.append(0x0A)
        text += repeatElement(0x20, count: margin)
    }

    private func append(_ string: String, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\"".utf8
            case "\\": text += "\\\\".utf8
            case " "..."~": text.append(UInt8(truncatingIfNeeded: scalar.value))
            case "\n": text += "\\n".utf8
            case "\r": text += "\\r".utf8
            case "\t": text += "\\t".utf8
            default:
                if let spelling = escape?(scalar) {
                    text += spelling.utf8
                } else if scalar.value < 0x20 {
                    text += Self.escaped(scalar).utf8
                } else {
                    text += scalar.utf8
                }
            }
        }
        text.append(UInt8(ascii: "\""))
    }
}

extension JSONValue {
    /// Whether there are no other values in this one.
    fileprivate var isPlain: Bool {
        switch self {
        case .null, .boolean, .integer, .unsigned, .number, .string: true
        case .array(let elements): elements.isEmpty
        case .object(let object): object.members.isEmpty
        }
    }
}
