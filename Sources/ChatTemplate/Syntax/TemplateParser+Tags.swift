extension TemplateParser {
    /// A tag, from its name to what is before its end.
    mutating func tag() throws -> Statement.Kind {
        let line = current.line
        let tag = try name()
        switch tag {
        case "if": return try condition()
        case "for": return try loop()
        case "set": return try assignment()
        case "macro":
            let macro = try name()
            return .macro(try definition(name: macro, closedBy: "endmacro"))
        case "call": return try callBlock(line)
        case "filter":
            let filter = try filters(on: nil, startsInline: true)
            guard let filter else { throw malformed("a filter expected") }
            return .filterBlock(filter, body: try block(closedBy: "endfilter"))
        case "with": return try scopedNames()
        case "print":
            var values: [Expression] = []
            while current.kind != .tagEnd {
                if !values.isEmpty { try expect(",") }
                values.append(try expression())
            }
            return .output(values)
        case "generation":
            return .generation(body: try outsideLoops { try $0.block(closedBy: "endgeneration") })
        case "break", "continue":
            guard loops > 0 else {
                throw ChatTemplateError.malformed(line: line, problem: "'\(tag)' outside of a loop")
            }
            return tag == "break" ? .breakLoop : .continueLoop
        case "block", "extends", "include", "import", "from", "autoescape":
            throw ChatTemplateError.unsupported(line: line, construct: "the tag '\(tag)'")
        default:
            throw ChatTemplateError.malformed(line: line, problem: "no tag '\(tag)' here")
        }
    }

    private mutating func condition() throws -> Statement.Kind {
        var branches: [(test: Expression, body: [Statement])] = []
        while true {
            let test = try tuple(withCondition: false)
            branches.append((test, try block(until: ["elif", "else", "endif"])))
            if accept(name: "elif") { continue }
            if accept(name: "endif") { return .condition(branches, otherwise: []) }
            try expect(name: "else")
            return .condition(branches, otherwise: try block(closedBy: "endif"))
        }
    }

    private mutating func loop() throws -> Statement.Kind {
        // A loop over what has a name of its own would hide `loop`.
        loops += 1
        defer { loops -= 1 }
        let target = try target(endingAt: "in")
        try expect(name: "in")
        let values = try tuple(withCondition: false, endingAt: "recursive")
        let condition = accept(name: "if") ? try expression() : nil
        if isName("recursive") { throw unsupported("a recursive loop") }
        let body = try block(until: ["endfor", "else"])
        var otherwise: [Statement] = []
        if accept(name: "else") {
            loops -= 1
            defer { loops += 1 }
            otherwise = try block(closedBy: "endfor")
        } else {
            advance()
        }
        return .loop(
            Statement.Loop(target: target, values: values, condition: condition, body: body, otherwise: otherwise))
    }

    private mutating func assignment() throws -> Statement.Kind {
        let target = try target(endingAt: nil, withNamespace: true)
        if accept("=") { return .set(target, try tuple()) }
        let filter = try filters(on: nil)
        return .setBlock(target, filter: filter, body: try outsideLoops { try $0.block(closedBy: "endset") })
    }

    private mutating func scopedNames() throws -> Statement.Kind {
        var values: [(target: Statement.Target, value: Expression)] = []
        while current.kind != .tagEnd {
            if !values.isEmpty { try expect(",") }
            let target = try target(endingAt: nil)
            try expect("=")
            values.append((target, try expression()))
        }
        return .with(values, body: try block(closedBy: "endwith"))
    }

    private mutating func callBlock(_ line: Int) throws -> Statement.Kind {
        let parameters = isSymbol("(") ? try signature() : []
        let call = try expression()
        guard case .call = call.kind else {
            throw ChatTemplateError.malformed(line: line, problem: "'call' without a call")
        }
        return .call(call, caller: try definition(name: "caller", parameters: parameters, closedBy: "endcall"))
    }

    private mutating func definition(
        name: String, parameters: [(name: String, fallback: Expression?)]? = nil, closedBy end: String
    ) throws -> MacroDefinition {
        usedNames.append([])
        let parameters = try parameters ?? signature()
        let body = try outsideLoops { try $0.block(closedBy: end) }
        let used = usedNames.removeLast()
        if let last = usedNames.indices.last { usedNames[last].formUnion(used) }
        let special = used.intersection(["caller", "varargs", "kwargs"]).subtracting(parameters.map(\.name))
        return MacroDefinition(name: name, parameters: parameters, body: body, special: special)
    }

    private mutating func signature() throws -> [(name: String, fallback: Expression?)] {
        var parameters: [(name: String, fallback: Expression?)] = []
        try expect("(")
        while !isSymbol(")") {
            if !parameters.isEmpty { try expect(",") }
            let name = try name()
            guard !parameters.contains(where: { $0.name == name }) else {
                throw malformed("the parameter '\(name)' occurs twice")
            }

            let fallback = accept("=") ? try expression() : nil
            if fallback == nil, parameters.last?.fallback != nil {
                throw malformed("a parameter without a default follows one with a default")
            }
            parameters.append((name, fallback))
        }
        advance()
        return parameters
    }

    /// What becomes a function of its own in Jinja cannot leave a loop around it.
    private mutating func outsideLoops<Result>(_ read: (inout TemplateParser) throws -> Result) throws -> Result {
        let outer = loops
        loops = 0
        defer { loops = outer }
        return try read(&self)
    }

    // MARK: What values are given to

    private mutating func target(endingAt end: String?, withNamespace: Bool = false) throws -> Statement.Target {
        var targets: [Statement.Target] = []
        var isTuple = false
        while true {
            if case .tagEnd = current.kind { break }
            if let end, isName(end) { break }
            if isSymbol(")") { break }
            targets.append(try singleTarget(withNamespace: withNamespace))
            guard accept(",") else { break }
            isTuple = true
        }
        if isTuple { return .tuple(targets) }
        guard let target = targets.first else { throw malformed("a name expected, found \(current.description)") }
        return target
    }

    private mutating func singleTarget(withNamespace: Bool) throws -> Statement.Target {
        if accept("(") {
            let inner = try nested { try $0.target(endingAt: nil, withNamespace: withNamespace) }
            try expect(")")
            return inner
        }

        let line = current.line
        let name = try name()
        if withNamespace, accept(".") {
            for index in usedNames.indices { usedNames[index].insert(name) }
            return .attribute(namespace: name, name: try self.name())
        }
        guard !["true", "false", "none", "True", "False", "None"].contains(name) else {
            throw ChatTemplateError.malformed(line: line, problem: "a value cannot be given to '\(name)'")
        }
        guard name != "loop" || loops == 0 else {
            throw ChatTemplateError.malformed(line: line, problem: "a value cannot be given to 'loop' within a loop")
        }
        return .name(name)
    }
}
