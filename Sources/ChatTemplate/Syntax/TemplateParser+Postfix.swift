extension TemplateParser {
    /// Attributes, subscripts and calls behind a value.
    mutating func postfix(on value: Expression) throws -> Expression {
        var value = value
        while true {
            let line = current.line
            if accept(".") {
                switch current.kind {
                case .name(let name): value = try expression(.attribute(value, name), line: line)
                case .integer(let index):
                    let place = try expression(.constant(.integer(index)), line: line)
                    value = try expression(.element(value, place), line: line)
                default: throw malformed("a name or a number expected behind '.', found \(current.description)")
                }
                advance()
            } else if accept("[") {
                value = try element(of: value, line)
            } else if isSymbol("(") {
                value = try expression(.call(value, try arguments()), line: line)
            } else {
                return value
            }
        }
    }

    private mutating func element(of value: Expression, _ line: Int) throws -> Expression {
        func bound(_ parser: inout TemplateParser) throws -> Expression? {
            parser.isSymbol(":") || parser.isSymbol("]") || parser.isSymbol(",") ? nil : try parser.expression()
        }

        let from = try bound(&self)
        let result: Expression
        if accept(":") {
            let to = try bound(&self)
            let step = accept(":") ? try bound(&self) : nil
            result = try expression(.slice(value, from: from, to: to, step: step), line: line)
        } else {
            guard let from else { throw malformed("an index expected, found \(current.description)") }
            result = try expression(.element(value, from), line: line)
        }
        if isSymbol(",") { throw unsupported("an index of several parts") }
        try expect("]")
        return result
    }

    /// Filters, tests and calls behind a value.
    mutating func filtersAndTests(on value: Expression) throws -> Expression {
        var value = value
        while true {
            let line = current.line
            if isSymbol("|") {
                value = try filters(on: value) ?? value
            } else if isName("is") {
                value = try test(of: value)
            } else if isSymbol("(") {
                value = try expression(.call(value, try arguments()), line: line)
            } else {
                return value
            }
        }
    }

    /// A chain of filters on a value or on the text of a block; nil if there is neither.
    mutating func filters(on value: Expression?, startsInline: Bool = false) throws -> Expression? {
        var value = value
        var startsInline = startsInline
        while startsInline || accept("|") {
            startsInline = false
            let line = current.line
            let name = try qualifiedName()
            let arguments = isSymbol("(") ? try arguments() : Expression.Arguments()
            value = try expression(.filter(value, name, arguments), line: line)
        }
        return value
    }

    private mutating func qualifiedName() throws -> String {
        var name = try name()
        while accept(".") { name += "." + (try self.name()) }
        return name
    }

    private mutating func test(of value: Expression) throws -> Expression {
        let line = current.line
        advance()
        let isNegated = accept(name: "not")
        let name = try qualifiedName()
        var arguments = Expression.Arguments()
        if isSymbol("(") {
            arguments = try self.arguments()
        } else if beginsTestArgument {
            if isName("is") { throw malformed("tests cannot follow one another") }
            arguments.positional = [try nested { try $0.postfix(on: try $0.primary()) }]
        }

        let test = try expression(.test(value, name, arguments), line: line)
        return isNegated ? try expression(.not(test), line: line) : test
    }

    private var beginsTestArgument: Bool {
        switch current.kind {
        case .name(let name): !["else", "or", "and"].contains(name)
        case .text, .integer, .number, .symbol("["), .symbol("{"): true
        default: false
        }
    }

    mutating func arguments() throws -> Expression.Arguments {
        var arguments = Expression.Arguments()
        try expect("(")
        while !isSymbol(")") {
            if accept("*") {
                guard arguments.spread == nil, arguments.spreadNames == nil else { throw malformed("a second '*'") }
                arguments.spread = try expression()
            } else if accept("**") {
                guard arguments.spreadNames == nil else { throw malformed("a second '**'") }
                arguments.spreadNames = try expression()
            } else if case .name(let name) = current.kind, following.kind == .symbol("=") {
                guard arguments.spreadNames == nil else { throw malformed("'\(name)=' behind '**'") }
                guard !arguments.named.contains(where: { $0.name == name }) else {
                    throw malformed("'\(name)=' occurs twice")
                }
                advance()
                advance()
                arguments.named.append((name, try expression()))
            } else {
                guard arguments.named.isEmpty, arguments.spread == nil, arguments.spreadNames == nil else {
                    throw malformed("a value without a name behind one with a name")
                }
                arguments.positional.append(try expression())
            }
            guard accept(",") else { break }
        }
        try expect(")")
        return arguments
    }
}
