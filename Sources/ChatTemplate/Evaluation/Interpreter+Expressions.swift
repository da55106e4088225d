extension Interpreter {
    func evaluate(_ expression: Expression) throws -> Value {
        try within(expression.line) { try evaluateKind(of: expression) }
    }

    private func evaluateKind(of expression: Expression) throws -> Value {
        switch expression.kind {
        case .constant(let constant): return value(of: constant)
        case .name(let name): return try value(named: name)
        case .list(let parts): return try list(try parts.map { try evaluate($0) })
        case .tuple(let parts): return try tuple(try parts.map { try evaluate($0) })
        case .dictionary(let pairs): return try dictionary(pairs)
        case .not(let part): return .boolean(!(try evaluate(part).isTrue))
        case .negative(let part): return try negated(try evaluate(part))
        case .positive(let part): return try positive(try evaluate(part))
        case .both(let one, let other):
            let value = try evaluate(one)
            return value.isTrue ? try evaluate(other) : value
        case .either(let one, let other):
            let value = try evaluate(one)
            return value.isTrue ? value : try evaluate(other)
        case .arithmetic(let operation, let one, let other):
            let (one, other) = (try evaluate(one), try evaluate(other))
            line = expression.line
            return try calculate(operation, one, other)
        case .concatenation(let parts): return try concatenated(parts)
        case .comparison(let first, let operands): return try compared(first, operands)
        case .conditional(let test, let then, let otherwise):
            if try evaluate(test).isTrue { return try evaluate(then) }
            return try otherwise.map { try evaluate($0) }
                ?? .undefined("the inline if-expression evaluated to false and no else section was defined")
        case .attribute(let part, let name): return try attribute(name, of: try evaluate(part))
        case .element(let part, let index): return try element(of: try evaluate(part), at: try evaluate(index))
        case .slice(let part, let from, let to, let step):
            return try slice(
                of: try evaluate(part), from: try from.map { try evaluate($0) }, to: try to.map { try evaluate($0) },
                step: try step.map { try evaluate($0) })
        case .call: return try evaluate(expression, caller: nil)
        case .filter(let part, let name, let arguments):
            guard let part else { throw failure("the filter '\(name)' without a value") }
            let value = try evaluate(part)
            let given = try evaluate(arguments)
            line = expression.line
            return try apply(name, to: value, given)
        case .test(let part, let name, let arguments):
            let value = try evaluate(part)
            let given = try evaluate(arguments)
            line = expression.line
            return .boolean(try test(name, value, given))
        }
    }

    private func value(of constant: Expression.Constant) -> Value {
        switch constant {
        case .none: .none
        case .boolean(let flag): .boolean(flag)
        case .integer(let number): .integer(number)
        case .number(let number): .number(number)
        case .text(let text): .text(text)
        }
    }

    private func value(named name: String) throws -> Value {
        if let value = scope.value(name) { return value }
        if let function = TemplateFunction(rawValue: name) { return .function(function) }
        guard !["lipsum", "cycler", "joiner"].contains(name) else { throw unsupported("the function '\(name)'") }
        return .undefined("'\(name)' is undefined")
    }

    private func dictionary(_ pairs: [(key: Expression, value: Expression)]) throws -> Value {
        var map = OrderedMap()
        for pair in pairs {
            let name = try evaluate(pair.key)
            map.set(try key(name), name, to: try evaluate(pair.value))
        }
        return try dictionary(map)
    }

    private func concatenated(_ parts: [Expression]) throws -> Value {
        var result = Text()
        for part in parts {
            result.scalars += try text(of: try evaluate(part)).scalars
            try checkLength(result.count)
        }
        return .text(result)
    }

    private func compared(_ first: Expression, _ operands: [Expression.Operand]) throws -> Value {
        var left = try evaluate(first)
        for operand in operands {
            let right = try evaluate(operand.value)
            guard try holds(operand.comparison, left, right) else { return .boolean(false) }
            left = right
        }
        return .boolean(true)
    }

    func holds(_ comparison: Expression.Comparison, _ one: Value, _ other: Value) throws -> Bool {
        switch comparison {
        case .equal: return try equal(one, other)
        case .unequal: return try !equal(one, other)
        case .less: return try precedes(one, other)
        case .greater: return try precedes(other, one)
        case .lessOrEqual: return try precedesOrEquals(one, other)
        case .greaterOrEqual: return try precedesOrEquals(other, one)
        case .isIn: return try contains(other, one)
        case .isNotIn: return try !contains(other, one)
        }
    }

    /// Differs from "does not follow" if a number is NaN.
    private func precedesOrEquals(_ one: Value, _ other: Value) throws -> Bool {
        if try precedes(one, other) { return true }
        return try equal(one, other)
    }

    /// A call, of a call block if it has a caller.
    func evaluate(_ expression: Expression, caller: MacroDefinition?) throws -> Value {
        guard case .call(let callee, let arguments) = expression.kind else {
            preconditionFailure("the parser makes call blocks of calls alone")
        }

        let function = try evaluate(callee)
        var given = try evaluate(arguments)
        if let caller {
            guard !given.named.contains(where: { $0.name == "caller" }) else { throw failure("two callers") }
            given.named.append(("caller", try callerMacro(caller)))
        }
        line = expression.line
        switch function {
        case .undefined(let why): throw failure(why)
        case .macro(let macro): return try within(line) { try call(macro, given) }
        case .function(let function): return try call(function, given)
        case .method(let method): return try call(method, given)
        case .loop: throw unsupported("a recursive loop")
        default: throw failure("'\(function.kind)' object is not callable")
        }
    }

    /// Filters on the text of a block.
    func evaluate(_ filter: Expression, on block: Text) throws -> Value {
        try within(filter.line) {
            guard case .filter(let part, let name, let arguments) = filter.kind else {
                preconditionFailure("the parser makes filters of what is behind a block's name")
            }

            let value: Value = try part.map { try evaluate($0, on: block) } ?? .text(block)
            return try apply(name, to: value, try evaluate(arguments))
        }
    }
}
