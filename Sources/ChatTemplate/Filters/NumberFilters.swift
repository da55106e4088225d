extension Interpreter {
    /// Filters that return numbers; nil for others.
    func applyNumberFilter(_ name: String, to value: Value, _ arguments: CallArguments) throws -> Value? {
        switch name {
        case "int":
            let given = try values(arguments, for: ["default", "base"], of: name)
            let base = try given[1].map { try integer($0, as: "the base of int") } ?? 10
            guard base == 10 || base == 16 || base == 8 || base == 2 else { throw unsupported("the base \(base)") }
            return try integer(value, base: base) ?? given[0] ?? .integer(0)
        case "float":
            let given = try values(arguments, for: ["default"], of: name)
            if case .undefined(let why) = value { throw failure(why) }
            return number(value).map(Value.number) ?? given[0] ?? .number(0)
        case "abs":
            _ = try values(arguments, for: [], of: name)
            if case .undefined(let why) = value { throw failure(why) }
            guard let real = value.realNumber else { throw failure("bad operand type for abs(): '\(value.kind)'") }
            guard let whole = value.wholeNumber else { return .number(real.magnitude) }
            return whole < 0 ? try negated(.integer(whole)) : .integer(whole)
        case "round": return try rounded(value, arguments)
        default: return nil
        }
    }

    private func integer(_ value: Value, base: Int) throws -> Value? {
        if case .undefined(let why) = value { throw failure(why) }
        if let whole = value.wholeNumber { return .integer(whole) }
        if case .text(let text) = value {
            var digits = text.stripped().string
            if base != 10, let prefix = [16: "0x", 8: "0o", 2: "0b"][base], digits.lowercased().hasPrefix(prefix) {
                digits = String(digits.dropFirst(2))
            }
            // Python allows single underscores between digits.
            let groups = digits.split(separator: "_", omittingEmptySubsequences: false)
            if groups.count > 1, groups.allSatisfy({ $0.last?.isHexDigit ?? false }) {
                digits = groups.joined()
            }
            // A number too large for this is one for Python.
            guard digits.utf8.count < 19 || Int(digits, radix: base) != nil || number(value) == nil else {
                throw unsupported("a whole number of more than 64 bits")
            }
            if let whole = Int(digits, radix: base) { return .integer(whole) }
        }
        guard let real = number(value), real.isFinite else { return nil }
        guard let whole = Int(exactly: real.rounded(.towardZero)) else {
            throw unsupported("a whole number of more than 64 bits")
        }
        return .integer(whole)
    }

    /// The number that Python's `float` reads from a value.
    private func number(_ value: Value) -> Double? {
        if let real = value.realNumber { return real }
        guard case .text(let text) = value else { return nil }
        let spelling = text.stripped().string
        // Swift reads hexadecimal fractions and payloads of NaN as well.
        guard !spelling.utf8.contains(where: { "xXpP(".utf8.contains($0) }) else { return nil }
        return Double(spelling)
    }

    private func rounded(_ value: Value, _ arguments: CallArguments) throws -> Value {
        let given = try values(arguments, for: ["precision", "method"], of: "round")
        if case .undefined(let why) = value { throw failure(why) }
        guard let real = value.realNumber else { throw failure("type \(value.kind) doesn't define __round__ method") }
        let precision = try given[0].map { try integer($0, as: "the precision of round") } ?? 0
        guard precision == 0 else { throw unsupported("rounding to digits behind the point") }
        switch try given[1].map({ try text(of: $0) }) ?? "common" {
        case "common":
            if let whole = value.wholeNumber { return .integer(whole) }
            return .number(real.rounded(.toNearestOrEven))
        case "ceil": return .number(real.rounded(.up))
        case "floor": return .number(real.rounded(.down))
        default: throw failure("method must be common, ceil or floor")
        }
    }
}
