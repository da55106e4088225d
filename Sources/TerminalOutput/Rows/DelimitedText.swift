/// Lines of separated values.
enum DelimitedText {
    /// A line after RFC 4180, ended by CR LF. A field is quoted if it holds a comma, a quote or a line end; empty text
    /// is quoted too, which tells it from null.
    static func csvLine(_ row: [Cell], style: TerminalStyle) -> String {
        row.map { cell in
            guard case .text(let text) = cell else { return cell.plainText }
            let needsQuotes = text.isEmpty || text.unicodeScalars.contains { "\",\r\n".unicodeScalars.contains($0) }
            let safe = style.isTerminal ? VisibleText.of(text, keepingLines: true) : text
            return needsQuotes ? "\"" + doublingQuotes(safe) + "\"" : safe
        }.joined(separator: ",") + "\r\n"
    }

    private static func doublingQuotes(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar == "\"" { result.append(scalar) }
            result.append(scalar)
        }
        return String(result)
    }

    /// A line of tab-separated values, ended by LF. Within text a tab is `\t`, a line feed `\n`, a carriage return `\r`
    /// and a backslash `\\`, so that every row is one line and every tab a separator.
    static func tsvLine(_ row: [Cell], style: TerminalStyle) -> String {
        row.map { cell in
            guard case .text(let text) = cell else { return cell.plainText }
            var result = ""
            for scalar in text.unicodeScalars {
                switch scalar {
                case "\t": result += "\\t"
                case "\n": result += "\\n"
                case "\r": result += "\\r"
                case "\\": result += "\\\\"
                default: result.unicodeScalars.append(scalar)
                }
            }
            return style.isTerminal ? VisibleText.of(result) : result
        }.joined(separator: "\t") + "\n"
    }
}
