extension Interpreter {
    /// `map`, `select`, `reject`, `selectattr` and `rejectattr`; nil for others.
    func applySelection(_ name: String, to value: Value, _ arguments: CallArguments) throws -> Value? {
        switch name {
        case "map": return try mapped(value, arguments)
        case "select", "reject":
            return try selected(value, arguments, keeping: name == "select") { $0 }
        case "selectattr", "rejectattr":
            guard let attribute = arguments.positional.first else {
                throw failure("Missing parameter for attribute name")
            }
            return try selected(value, arguments.dropping(1), keeping: name == "selectattr") {
                try part(of: $0, named: attribute)
            }
        default: return nil
        }
    }

    private func mapped(_ value: Value, _ arguments: CallArguments) throws -> Value {
        guard value.isTrue else { return try iterator([]) }
        if arguments.positional.isEmpty, arguments.named.contains(where: { $0.name == "attribute" }) {
            let given = try values(arguments, for: ["attribute", "default"], of: "map")
            let fallback: Value? = if case .none? = given[1] { nil } else { given[1] }
            return try iterator(
                try elements(of: value).map { try part(of: $0, named: given[0], fallback: fallback) })
        }
        guard let first = arguments.positional.first else { throw failure("map requires a filter argument") }
        let filter = try string(first, as: "the name of a filter").string
        let rest = arguments.dropping(1)
        return try iterator(
            try elements(of: value).map { element in try within(line) { try apply(filter, to: element, rest) } })
    }

    private func selected(
        _ value: Value, _ arguments: CallArguments, keeping isWanted: Bool, _ part: (Value) throws -> Value
    ) throws -> Value {
        guard value.isTrue else { return try iterator([]) }
        let test = try arguments.positional.first.map { try string($0, as: "the name of a test").string }
        let rest = arguments.dropping(1)
        return try iterator(
            try elements(of: value).filter { element in
                let part = try part(element)
                return try (test.map { try self.test($0, part, rest) } ?? part.isTrue) == isWanted
            })
    }
}
