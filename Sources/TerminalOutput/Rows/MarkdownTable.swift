/// A table in GitHub-flavoured Markdown.
enum MarkdownTable {
    /// The names and the rule below them.
    static func header(_ columns: [String]) -> String {
        line(columns.map { .text($0) }) + "|" + String(repeating: " --- |", count: columns.count) + "\n"
    }

    static func line(_ row: [Cell]) -> String {
        "|" + row.map { " " + escaped(VisibleText.of($0.plainText)) + " |" }.joined() + "\n"
    }

    /// Escapes pipes (end of cell), backslashes (escapes), `<` (tags) and `&` (entities).
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "|": result += "\\|"
            case "\\": result += "\\\\"
            case "<": result += "&lt;"
            case "&": result += "&amp;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
