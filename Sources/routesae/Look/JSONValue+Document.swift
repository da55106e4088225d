import Foundation
import TerminalOutput

extension JSONValue {
    /// The document with sorted keys, ended by a line feed: over many lines for `json`, on one for `jsonl`.
    ///
    /// An array of plain values stays on one line. Escaped beyond what JSON asks for is whatever acts on a terminal.
    func document(onOneLine: Bool) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try (onOneLine ? Self.compact(self, encoder) : Self.indented(self, encoder, margin: "")) + "\n"
    }

    private var isPlain: Bool {
        switch self {
        case .null, .bool, .integer, .unsigned, .real, .text: true
        case .array(let values): values.isEmpty
        case .object(let values): values.isEmpty
        }
    }

    private static func indented(_ value: JSONValue, _ encoder: JSONEncoder, margin: String) throws -> String {
        let inner = margin + "  "
        switch value {
        case .array(let values) where values.allSatisfy(\.isPlain):
            return "[" + (try values.map { try compact($0, encoder) }).joined(separator: ", ") + "]"
        case .array(let values):
            let lines = try values.map { inner + (try indented($0, encoder, margin: inner)) }
            return "[\n" + lines.joined(separator: ",\n") + "\n\(margin)]"
        case .object(let values) where !values.isEmpty:
            let lines = try values.sorted { $0.key < $1.key }.map { key, value in
                inner + (try compact(.text(key), encoder)) + ": " + (try indented(value, encoder, margin: inner))
            }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(margin)}"
        default:
            return try compact(value, encoder)
        }
    }

    private static func compact(_ value: JSONValue, _ encoder: JSONEncoder) throws -> String {
        let text = String(decoding: try encoder.encode(value), as: UTF8.self)
        // The encoder has escaped the controls of ASCII but DEL.
        guard text.unicodeScalars.contains(where: { $0.value >= 0x7F }) else { return text }
        var harmless = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar.value < 0x7F || VisibleText.of(String(scalar)) == String(scalar) {
                harmless.append(scalar)
            } else {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    let zeros = String(repeating: "0", count: 4 - digits.count)
                    harmless.append(contentsOf: "\\u\(zeros)\(digits)".unicodeScalars)
                }
            }
        }
        return String(harmless)
    }
}
