extension Interpreter {
    /// Whether a test holds, by its name (jinja2/tests.py).
    func test(_ name: String, _ value: Value, _ arguments: CallArguments) throws -> Bool {
        if let comparison = Self.comparisons[name] {
            let other = try values(arguments, for: ["other"], required: 1, of: name)[0] ?? .none
            return try holds(comparison, value, other)
        }
        switch name {
        case "divisibleby":
            let other = try values(arguments, for: ["num"], required: 1, of: name)[0] ?? .none
            return try equal(try calculate(.remainder, value, other), .integer(0))
        case "sameas":
            let other = try values(arguments, for: ["other"], required: 1, of: name)[0] ?? .none
            return try isSame(value, other)
        case "filter", "test": throw unsupported("the test '\(name)'")
        default:
            _ = try values(arguments, for: [], of: name)
            return try holdsAlone(name, value)
        }
    }

    private static let comparisons: [String: Expression.Comparison] = [
        "==": .equal, "eq": .equal, "equalto": .equal, "!=": .unequal, "ne": .unequal, ">": .greater, "gt": .greater,
        "greaterthan": .greater, "ge": .greaterOrEqual, ">=": .greaterOrEqual, "<": .less, "lt": .less,
        "lessthan": .less, "<=": .lessOrEqual, "le": .lessOrEqual, "in": .isIn,
    ]

    private func holdsAlone(_ name: String, _ value: Value) throws -> Bool {
        switch (name, value) {
        case ("defined", .undefined): return false
        case ("defined", _): return true
        case ("undefined", .undefined), ("none", .none), ("boolean", .boolean), ("integer", .integer),
            ("float", .number), ("string", .text), ("mapping", .dictionary):
            return true
        case ("true", .boolean(let flag)): return flag
        case ("false", .boolean(let flag)): return !flag
        case ("undefined", _), ("none", _), ("boolean", _), ("integer", _), ("float", _), ("string", _), ("mapping", _),
            ("true", _), ("false", _), ("escaped", _):
            return false
        case ("number", _): return value.realNumber != nil
        case ("odd", _): return try equal(try calculate(.remainder, value, .integer(2)), .integer(1))
        case ("even", _): return try equal(try calculate(.remainder, value, .integer(2)), .integer(0))
        case ("lower", _): return try text(of: value).isAll(upper: false)
        case ("upper", _): return try text(of: value).isAll(upper: true)
        case ("callable", .macro), ("callable", .function), ("callable", .method), ("callable", .loop): return true
        // jinja2's Undefined has a method for calls, which complains.
        case ("callable", .undefined): return true
        case ("callable", _): return false
        case ("iterable", _): return isIterable(value)
        case ("sequence", _):
            // What has a length and places, a dictionary's among them.
            switch value {
            case .undefined, .text, .list, .tuple, .dictionary, .range: return true
            default: return false
            }
        default: throw unsupported("the test '\(name)'")
        }
    }

    private func isIterable(_ value: Value) -> Bool {
        switch value {
        case .undefined, .text, .list, .tuple, .dictionary, .range, .view, .iterator, .loop: true
        default: false
        }
    }

    /// Where Python has but one object there can be no doubt.
    private func isSame(_ one: Value, _ other: Value) throws -> Bool {
        switch (one, other) {
        case (.none, .none): return true
        case (.boolean(let one), .boolean(let other)): return one == other
        case (.namespace(let one), .namespace(let other)): return one === other
        default:
            guard one.kind != other.kind else { throw unsupported("'sameas' of two values of the type '\(one.kind)'") }
            return false
        }
    }
}
