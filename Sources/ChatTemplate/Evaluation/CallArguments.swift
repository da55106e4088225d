/// Arguments of a macro, a function, a method, a filter or a test.
struct CallArguments {
    var positional: [Value] = []
    var named: [(name: String, value: Value)] = []

    /// The arguments behind the first.
    func dropping(_ count: Int) -> CallArguments {
        CallArguments(positional: Array(positional.dropFirst(count)), named: named)
    }
}

extension Interpreter {
    func evaluate(_ arguments: Expression.Arguments) throws -> CallArguments {
        var result = CallArguments(
            positional: try arguments.positional.map { try evaluate($0) },
            named: try arguments.named.map { ($0.name, try evaluate($0.value)) })
        if let spread = arguments.spread { result.positional += try elements(of: try evaluate(spread)) }
        if let spread = arguments.spreadNames {
            guard case .dictionary(let map) = try evaluate(spread) else {
                throw failure("what follows '**' is no mapping")
            }
            for (key, value) in map.entries {
                guard case .text(let name) = key else { throw failure("keywords must be strings") }
                result.named.append((name.string, value))
            }
        }
        return result
    }

    /// Values by the names of parameters, in their order; nil where one was not given.
    ///
    /// - Throws: for unexpected arguments, and for a required one that is missing.
    func values(
        _ arguments: CallArguments, for names: [String], required: Int = 0, of what: String
    ) throws -> [Value?] {
        guard arguments.positional.count <= names.count else {
            throw failure("\(what) takes not more than \(names.count) argument(s)")
        }

        var values = arguments.positional.map(Optional.some)
        values += [Value?](repeating: nil, count: names.count - values.count)
        for (name, value) in arguments.named {
            guard let place = names.firstIndex(of: name) else { throw failure("\(what) takes no argument '\(name)'") }
            guard values[place] == nil else { throw failure("\(what) got '\(name)' twice") }
            values[place] = value
        }
        if let missing = values[..<required].firstIndex(where: { $0 == nil }) {
            throw failure("\(what) needs '\(names[missing])'")
        }
        return values
    }

    func integer(_ value: Value, as what: String) throws -> Int {
        guard let number = value.wholeNumber else { throw failure("\(what) is no integer but \(value.kind)") }
        return number
    }

    /// A value that has to be a text.
    func string(_ value: Value, as what: String) throws -> Text {
        guard case .text(let text) = value else {
            if case .undefined(let why) = value { throw failure(why) }
            throw failure("\(what) is no string but \(value.kind)")
        }
        return text
    }
}
