import Foundation

/// The CHECK constraints of a table, taken from its statement. SQLite's own integrity check leaves them out where the
/// file is open for reading only.
struct TableChecks {
    /// Their expressions, in order.
    let expressions: [String]

    /// Takes them from a CREATE TABLE statement as the migrations have them.
    init(statement: String) {
        var expressions: [String] = []
        var rest = Self.withoutComments(statement)[...]
        while let keyword = rest.range(of: "CHECK (") {
            let start = rest.index(before: keyword.upperBound)
            guard let end = Self.closing(rest[start...]) else { break }
            expressions.append(String(rest[start...end]))
            rest = rest[rest.index(after: end)...]
        }
        self.expressions = expressions
    }

    /// A condition that holds for rows which break a constraint; nil without constraints. NULL breaks none.
    var violation: String? {
        expressions.isEmpty ? nil : expressions.map { "NOT \($0)" }.joined(separator: " OR ")
    }

    /// The parenthesis that closes the first character.
    private static func closing(_ text: Substring) -> Substring.Index? {
        var depth = 0
        var isQuoted = false
        for index in text.indices {
            switch text[index] {
            case "'": isQuoted.toggle()
            case "(" where !isQuoted: depth += 1
            case ")" where !isQuoted:
                depth -= 1
                if depth == 0 { return index }
            default: break
            }
        }
        return nil
    }

    /// Comments may hold quotes and parentheses of their own.
    private static func withoutComments(_ statement: String) -> String {
        statement.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.range(of: "--").map { line[..<$0.lowerBound] } ?? line
        }.joined(separator: "\n")
    }
}
