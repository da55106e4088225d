/// JSON (RFC 8259) written by hand, as the order of the keys matters.
enum JSONText {
    /// One object on one line, its keys in the order of the columns.
    static func object(_ columns: [String], _ row: [Cell]) -> String {
        var text = "{"
        for (index, column) in columns.enumerated() {
            if index > 0 { text += "," }
            text += string(column)
            text += ":"
            text += value(row[index])
        }
        return text + "}"
    }

    static func value(_ cell: Cell) -> String {
        switch cell {
        case .null: "null"
        case .integer(let value): "\(value)"
        case .real(let value): value.isFinite ? "\(value)" : "null"
        case .text(let value): string(value)
        case .blob(let byteCount): "{\"bytes\":\(byteCount)}"
        }
    }

    /// A string literal. Escaped beyond what JSON asks for is all that acts on a terminal: DEL, the C1 controls,
    /// direction overrides and the Unicode line ends.
    static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if VisibleText.isHostile(scalar) {
                    result += escape(scalar)
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        String(scalar).utf16.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }
}
