/// Functions that templates can call without defining them: Jinja's globals and those that transformers adds.
package enum TemplateFunction: String {
    case range
    case dict
    case namespace
    /// Throws an error of the template.
    case raiseException = "raise_exception"
    /// Today's date, given by the caller.
    case strftimeNow = "strftime_now"
}

extension Interpreter {
    func call(_ function: TemplateFunction, _ arguments: CallArguments) throws -> Value {
        switch function {
        case .range: return try range(arguments)
        case .dict: return try dictionary(try map(arguments, of: "dict"))
        case .namespace:
            let namespace = Namespace()
            try keep(namespace)
            for (key, value) in try map(arguments, of: "namespace").entries {
                guard case .text(let name) = key else { throw failure("a namespace takes names alone") }
                try set(name.string, of: namespace, to: value)
            }
            return .namespace(namespace)
        case .raiseException:
            let message = try values(arguments, for: ["message"], required: 1, of: "raise_exception")[0] ?? .none
            throw ChatTemplateError.raised(line: line, message: try text(of: message).string)
        case .strftimeNow:
            let format = try values(arguments, for: ["format"], required: 1, of: "strftime_now")[0] ?? .none
            let text = try string(format, as: "the format of strftime_now")
            try charge(text.count)
            guard let formatted = date.formatted(text) else {
                throw unsupported("a directive of the date format \(text.pythonLiteral)")
            }
            return try self.text(formatted)
        }
    }

    private func range(_ arguments: CallArguments) throws -> Value {
        guard arguments.named.isEmpty else { throw failure("range() takes no keyword arguments") }
        let numbers = try arguments.positional.map { value in
            if case .undefined(let why) = value { throw failure(why) }
            return try integer(value, as: "an argument of range")
        }
        guard (1...3).contains(numbers.count) else { throw failure("range expected 1 to 3 arguments") }
        let (start, end) = numbers.count == 1 ? (0, numbers[0]) : (numbers[0], numbers[1])
        let step = numbers.count == 3 ? numbers[2] : 1
        guard step != 0 else { throw failure("range() arg 3 must not be zero") }
        let (span, overflows) = end.subtractingReportingOverflow(start)
        guard !overflows, step != Int.min else { throw excess("a range of more than \(TemplateLimits.range) numbers") }
        let count = span == 0 || (span < 0) != (step < 0) ? 0 : (abs(span) - 1) / abs(step) + 1
        guard count <= TemplateLimits.range else {
            throw excess("a range of more than \(TemplateLimits.range) numbers")
        }
        return .range(ArithmeticRange(start: start, step: step, count: count))
    }

    /// The result of `dict(…)` for a mapping or pairs, and names.
    private func map(_ arguments: CallArguments, of what: String) throws -> OrderedMap {
        guard arguments.positional.count <= 1 else { throw failure("\(what) takes at most 1 argument") }
        var map = OrderedMap()
        switch arguments.positional.first {
        case nil: break
        case .dictionary(let given)?: map = given
        case .undefined(let why)?: throw failure(why)
        case let pairs?:
            for pair in try elements(of: pairs) {
                let pair = try elements(of: pair)
                guard pair.count == 2 else { throw failure("\(what) takes pairs of a key and a value") }
                map.set(try key(pair[0]), pair[0], to: pair[1])
            }
        }
        for (name, value) in arguments.named { map.set(Text(name), to: value) }
        return map
    }
}
