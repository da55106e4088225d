package import JSON

/// Output is escaped beyond JSON's requirements where it could act on a terminal: DEL, the C1 controls, direction
/// overrides and the Unicode line ends.
extension JSONWriter {
    /// Writes a row on one line, its members in the order of the columns; reals look like reals.
    static let row = {
        var writer = JSONWriter()
        writer.sortsMembers = false
        writer.wholeDoubles = .withFraction
        writer.escape = { VisibleText.isHostile($0) ? escaped($0) : nil }
        return writer
    }()

    /// Writes a document, its members sorted.
    fileprivate static func document(_ layout: Layout) -> JSONWriter {
        var writer = JSONWriter()
        writer.layout = layout
        writer.wholeDoubles = .withoutFraction
        writer.escape = { scalar in
            switch scalar {
            case "\u{8}": "\\b"
            case "\u{C}": "\\f"
            default: VisibleText.isHostile(scalar) ? escaped(scalar) : nil
            }
        }
        return writer
    }
}

extension JSONValue {
    /// The document with sorted keys, ended by a line feed: over many lines for `json`, on one for `jsonl`.
    package func document(onOneLine: Bool) -> String {
        JSONWriter.document(onOneLine ? .compact : .indented).text(self) + "\n"
    }

    /// A cell of a row; a blob becomes its byte count.
    package init(cell: Cell) {
        switch cell {
        case .null: self = .null
        case .integer(let value): self.init(value)
        case .real(let value): self.init(value)
        case .text(let value): self = .string(value)
        case .blob(let count): self = .object(["bytes": .integer(count)])
        }
    }
}

extension JSONObject {
    /// A row under the names of its columns, in their order.
    package init(columns: [String], row: [Cell]) {
        self.init(zip(columns, row).map { Member(name: $0, value: JSONValue(cell: $1)) })
    }
}
