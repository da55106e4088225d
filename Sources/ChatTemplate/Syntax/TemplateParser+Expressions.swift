extension TemplateParser {
    /// An expression, or a tuple of several with commas between them.
    mutating func tuple(
        withCondition: Bool = true, endingAt end: String? = nil, isInParentheses: Bool = false
    ) throws -> Expression {
        let line = current.line
        var values: [Expression] = []
        var isTuple = false
        while !isTupleEnd(end) {
            values.append(try withCondition ? expression() : nested { try $0.either() })
            guard accept(",") else { break }
            isTuple = true
        }
        if !isTuple, let value = values.first { return value }
        guard isTuple || isInParentheses else {
            throw malformed("an expression expected, found \(current.description)")
        }
        return try expression(.tuple(values), line: line)
    }

    private func isTupleEnd(_ end: String?) -> Bool {
        switch current.kind {
        case .outputEnd, .tagEnd, .symbol(")"): true
        default: end.map { isName($0) } ?? false
        }
    }

    /// An expression, perhaps with a condition: `a if b else c`.
    mutating func expression() throws -> Expression {
        try nested { parser in
            let line = parser.current.line
            var value = try parser.either()
            while parser.accept(name: "if") {
                let test = try parser.either()
                let otherwise = parser.accept(name: "else") ? try parser.expression() : nil
                value = try parser.expression(
                    .conditional(test: test, then: value, otherwise: otherwise), line: line)
            }
            return value
        }
    }

    private mutating func either() throws -> Expression {
        let line = current.line
        var value = try both()
        while accept(name: "or") { value = try expression(.either(value, try both()), line: line) }
        return value
    }

    private mutating func both() throws -> Expression {
        let line = current.line
        var value = try negation()
        while accept(name: "and") { value = try expression(.both(value, try negation()), line: line) }
        return value
    }

    private mutating func negation() throws -> Expression {
        let line = current.line
        guard accept(name: "not") else { return try comparison() }
        return try expression(.not(try nested { try $0.negation() }), line: line)
    }

    private mutating func comparison() throws -> Expression {
        let line = current.line
        let first = try sum()
        var operands: [Expression.Operand] = []
        while let comparison = acceptComparison() {
            operands.append(Expression.Operand(comparison: comparison, value: try sum()))
        }
        return operands.isEmpty ? first : try expression(.comparison(first, operands), line: line)
    }

    private mutating func acceptComparison() -> Expression.Comparison? {
        switch current.kind {
        case .symbol(let symbol):
            guard let comparison = Expression.Comparison(rawValue: symbol) else { return nil }
            advance()
            return comparison
        case .name("in"):
            advance()
            return .isIn
        case .name("not") where following.kind == .name("in"):
            advance()
            advance()
            return .isNotIn
        default: return nil
        }
    }

    private mutating func sum() throws -> Expression {
        try chain(of: ["+", "-"]) { try $0.concatenation() }
    }

    private mutating func concatenation() throws -> Expression {
        let line = current.line
        var values = [try product()]
        while accept("~") { values.append(try product()) }
        return values.count == 1 ? values[0] : try expression(.concatenation(values), line: line)
    }

    private mutating func product() throws -> Expression {
        try chain(of: ["*", "/", "//", "%"]) { try $0.power() }
    }

    /// From left to right, unlike in Python.
    private mutating func power() throws -> Expression {
        try chain(of: ["**"]) { try $0.unary() }
    }

    private mutating func chain(
        of symbols: [String], _ read: (inout TemplateParser) throws -> Expression
    ) throws -> Expression {
        let line = current.line
        var value = try read(&self)
        while case .symbol(let symbol) = current.kind, symbols.contains(symbol),
            let operation = Expression.Arithmetic(rawValue: symbol)
        {
            advance()
            value = try expression(.arithmetic(operation, value, try read(&self)), line: line)
        }
        return value
    }

    private mutating func unary(withFilter: Bool = true) throws -> Expression {
        let line = current.line
        var value: Expression
        if accept("-") {
            value = try expression(.negative(try nested { try $0.unary(withFilter: false) }), line: line)
        } else if accept("+") {
            value = try expression(.positive(try nested { try $0.unary(withFilter: false) }), line: line)
        } else {
            value = try primary()
        }
        value = try postfix(on: value)
        return withFilter ? try filtersAndTests(on: value) : value
    }

    mutating func primary() throws -> Expression {
        let line = current.line
        switch current.kind {
        case .name(let name):
            advance()
            return try expression(named(name), line: line)
        case .text(var text):
            advance()
            while case .text(let more) = current.kind {
                text.scalars += more.scalars
                advance()
            }
            return try expression(.constant(.text(text)), line: line)
        case .integer(let number):
            advance()
            return try expression(.constant(.integer(number)), line: line)
        case .number(let number):
            advance()
            return try expression(.constant(.number(number)), line: line)
        case .symbol("("):
            advance()
            let value = try nested { try $0.tuple(isInParentheses: true) }
            try expect(")")
            return value
        case .symbol("["):
            advance()
            return try expression(.list(try values(until: "]")), line: line)
        case .symbol("{"):
            advance()
            return try dictionary(line)
        default:
            throw malformed("an expression expected, found \(current.description)")
        }
    }

    private mutating func named(_ name: String) -> Expression.Kind {
        switch name {
        case "true", "True": return .constant(.boolean(true))
        case "false", "False": return .constant(.boolean(false))
        case "none", "None": return .constant(.none)
        default:
            for index in usedNames.indices { usedNames[index].insert(name) }
            return .name(name)
        }
    }

    private mutating func values(until end: String) throws -> [Expression] {
        var values: [Expression] = []
        while !isSymbol(end) {
            values.append(try expression())
            guard accept(",") else { break }
        }
        try expect(end)
        return values
    }

    private mutating func dictionary(_ line: Int) throws -> Expression {
        var pairs: [(key: Expression, value: Expression)] = []
        while !isSymbol("}") {
            let key = try expression()
            try expect(":")
            pairs.append((key, try expression()))
            guard accept(",") else { break }
        }
        try expect("}")
        return try expression(.dictionary(pairs), line: line)
    }
}
