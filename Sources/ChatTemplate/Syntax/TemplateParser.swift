/// Reads tokens as statements and expressions, by the grammar of jinja2/parser.py.
struct TemplateParser {
    private let tokens: [Token]
    private var place = 0
    private var nesting = 0
    /// Loops open in the text being read; starts at 0 in a macro's body.
    var loops = 0
    /// Names used by the macros being read, the innermost last.
    var usedNames: [Set<String>] = []

    /// Reads a whole template.
    static func statements(of source: String) throws -> [Statement] {
        var parser = TemplateParser(tokens: try TemplateLexer.tokens(of: source))
        let statements = try parser.body(until: [])
        return statements
    }

    private init(tokens: [Token]) { self.tokens = tokens }

    // MARK: Tokens

    var current: Token { tokens[place] }
    var following: Token { tokens[min(place + 1, tokens.count - 1)] }

    mutating func advance() { place = min(place + 1, tokens.count - 1) }

    func malformed(_ problem: String) -> ChatTemplateError { .malformed(line: current.line, problem: problem) }

    func unsupported(_ construct: String) -> ChatTemplateError {
        .unsupported(line: current.line, construct: construct)
    }

    func isName(_ name: String) -> Bool { current.kind == .name(name) }

    func isSymbol(_ symbol: String) -> Bool { current.kind == .symbol(symbol) }

    mutating func accept(name: String) -> Bool {
        guard isName(name) else { return false }
        advance()
        return true
    }

    mutating func accept(_ symbol: String) -> Bool {
        guard isSymbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: String) throws {
        guard accept(symbol) else { throw malformed("'\(symbol)' expected, found \(current.description)") }
    }

    mutating func expect(name: String) throws {
        guard accept(name: name) else { throw malformed("'\(name)' expected, found \(current.description)") }
    }

    mutating func expect(_ kind: Token.Kind, _ what: String) throws {
        guard current.kind == kind else { throw malformed("\(what) expected, found \(current.description)") }
        advance()
    }

    mutating func name() throws -> String {
        guard case .name(let name) = current.kind else {
            throw malformed("a name expected, found \(current.description)")
        }
        advance()
        return name
    }

    /// Reads something that may be nested, counting the level.
    mutating func nested<Result>(_ read: (inout TemplateParser) throws -> Result) throws -> Result {
        guard nesting < TemplateLimits.nesting else {
            throw ChatTemplateError.excessive(
                line: current.line, what: "more than \(TemplateLimits.nesting) levels within one another")
        }
        nesting += 1
        defer { nesting -= 1 }
        return try read(&self)
    }

    /// Makes an expression within the depth limit.
    func expression(_ kind: Expression.Kind, line: Int) throws -> Expression {
        let expression = Expression(kind, line: line)
        guard expression.depth <= TemplateLimits.expressionDepth else {
            throw ChatTemplateError.excessive(
                line: line, what: "an expression of more than \(TemplateLimits.expressionDepth) levels")
        }
        return expression
    }

    // MARK: Bodies

    /// Reads statements to a tag that ends them, whose name is then the current token; without such tags, to the end.
    mutating func body(until ends: [String]) throws -> [Statement] {
        var statements: [Statement] = []
        while true {
            let line = current.line
            switch current.kind {
            case .data(let text):
                advance()
                statements.append(Statement(kind: .text(text), line: line))
            case .outputBegin:
                advance()
                statements.append(Statement(kind: .output([try tuple()]), line: line))
                try expect(.outputEnd, "'}}'")
            case .tagBegin:
                advance()
                if case .name(let name) = current.kind, ends.contains(name) { return statements }
                let kind = try nested { try $0.tag() }
                statements.append(Statement(kind: kind, line: line))
                try expect(.tagEnd, "'%}'")
            default:
                guard ends.isEmpty else {
                    throw malformed("the template ends where '\(ends.joined(separator: "' or '"))' is missing")
                }
                return statements
            }
        }
    }

    /// The end of the present tag, and statements to a tag that ends them. A colon is allowed, as in Python.
    mutating func block(until ends: [String]) throws -> [Statement] {
        _ = accept(":")
        try expect(.tagEnd, "'%}'")
        return try body(until: ends)
    }

    /// As `block`, past the name of the tag that ends it.
    mutating func block(closedBy end: String) throws -> [Statement] {
        let statements = try block(until: [end])
        advance()
        return statements
    }
}
