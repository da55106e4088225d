import TerminalOutput

/// A piece of a page. Literals are markup and stay as they are; whatever is interpolated is escaped, unless it is
/// markup itself.
struct HTML: ExpressibleByStringInterpolation, Sendable {
    /// The markup.
    private(set) var text: String

    /// Takes markup written in the program.
    init(stringLiteral value: String) { text = value }

    /// Takes markup or style sheets made by the program.
    init(markup: String) { text = markup }

    /// Takes a literal and its escaped values.
    init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    /// Joins pieces.
    init(_ pieces: some Sequence<HTML>) {
        text = ""
        for piece in pieces { text += piece.text }
    }

    /// Adds a piece.
    static func += (html: inout HTML, piece: HTML) { html.text += piece.text }

    /// Whether there is nothing.
    var isEmpty: Bool { text.isEmpty }

    /// Assembles markup and escaped values.
    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text: String

        /// Reserves memory.
        init(literalCapacity: Int, interpolationCount: Int) {
            text = ""
            text.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        /// Adds markup written in the program.
        mutating func appendLiteral(_ literal: String) { text += literal }

        /// Adds text on one line: escaped, with characters that change its direction or end its line made visible.
        mutating func appendInterpolation(_ value: String) { HTML.escape(VisibleText.of(value), into: &text) }

        /// Adds text whose lines stay: escaped, other controls made visible.
        mutating func appendInterpolation(lines value: String) {
            HTML.escape(VisibleText.of(value, keepingLines: true), into: &text)
        }

        /// Adds text that a form sends back: escaped, otherwise unchanged.
        mutating func appendInterpolation(exact value: String) { HTML.escape(value, into: &text) }

        /// Adds a number.
        mutating func appendInterpolation(_ value: Int) { text += value.description }

        /// Adds a number.
        mutating func appendInterpolation(_ value: Int64) { text += value.description }

        /// Adds markup.
        mutating func appendInterpolation(_ html: HTML) { text += html.text }

        /// Adds markup, or nothing.
        mutating func appendInterpolation(_ html: HTML?) { if let html { text += html.text } }

        /// Adds pieces of markup.
        mutating func appendInterpolation(_ pieces: [HTML]) { for piece in pieces { text += piece.text } }

        /// Adds an address of this server.
        mutating func appendInterpolation(_ address: Address) { HTML.escape(address.text, into: &text) }
    }

    /// Replaces the characters that mean something in markup, in text as in attributes.
    private static func escape(_ value: String, into text: inout String) {
        guard value.utf8.contains(where: isSpecial) else {
            text += value
            return
        }
        for scalar in value.unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "'": text += "&#39;"
            default: text.unicodeScalars.append(scalar)
            }
        }
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "&") || byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">")
            || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
    }
}
