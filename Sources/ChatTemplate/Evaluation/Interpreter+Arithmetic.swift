import Glibc

extension Interpreter {
    func calculate(_ operation: Expression.Arithmetic, _ one: Value, _ other: Value) throws -> Value {
        for case .undefined(let why) in [one, other] { throw failure(why) }
        if let one = one.wholeNumber, let other = other.wholeNumber { return try whole(operation, one, other) }
        if let one = one.realNumber, let other = other.realNumber { return try real(operation, one, other) }
        switch (operation, one, other) {
        case (.add, .text(let one), .text(let other)):
            try checkLength(one.count + other.count)
            return .text(Text(scalars: one.scalars + other.scalars))
        case (.add, .list(let one), .list(let other)): return try list(one.elements + other.elements)
        case (.add, .tuple(let one), .tuple(let other)): return try tuple(one.elements + other.elements)
        case (.multiply, _, _):
            if let count = other.wholeNumber { return try repeated(one, count, operation, other) }
            if let count = one.wholeNumber { return try repeated(other, count, operation, one) }
        case (.remainder, .text, _): throw unsupported("formatting with '%'")
        default: break
        }
        throw failure(
            "unsupported operand type(s) for \(operation.rawValue): '\(one.kind)' and '\(other.kind)'")
    }

    private func repeated(
        _ value: Value, _ count: Int, _ operation: Expression.Arithmetic, _ other: Value
    ) throws -> Value {
        let count = max(0, count)
        func checked(_ length: Int) throws {
            let (product, overflows) = length.multipliedReportingOverflow(by: count)
            try checkLength(overflows ? Int.max : product)
        }
        switch value {
        case .text(let text):
            try checked(text.count)
            return .text(Text(scalars: repeatElement(text.scalars, count: count).joined()))
        case .list(let items):
            try checked(items.count)
            return try list(Array(repeatElement(items.elements, count: items.count == 0 ? 0 : count).joined()))
        case .tuple(let items):
            try checked(items.count)
            return try tuple(Array(repeatElement(items.elements, count: items.count == 0 ? 0 : count).joined()))
        default:
            throw failure("unsupported operand type(s) for *: '\(value.kind)' and '\(other.kind)'")
        }
    }

    private func whole(_ operation: Expression.Arithmetic, _ one: Int, _ other: Int) throws -> Value {
        func checked(_ result: (partialValue: Int, overflow: Bool)) throws -> Value {
            guard !result.overflow else { throw unsupported("a whole number of more than 64 bits") }
            return .integer(result.partialValue)
        }
        switch operation {
        case .add: return try checked(one.addingReportingOverflow(other))
        case .subtract: return try checked(one.subtractingReportingOverflow(other))
        case .multiply: return try checked(one.multipliedReportingOverflow(by: other))
        case .divide, .floorDivide, .remainder:
            guard other != 0 else { throw failure("division by zero") }
            if operation == .divide { return .number(Double(one) / Double(other)) }
            let quotient = one.dividedReportingOverflow(by: other)
            guard !quotient.overflow else {
                return operation == .remainder ? .integer(0) : try checked(quotient)
            }

            let remainder = one % other
            // Python rounds down, and the remainder has the sign of what is divided by.
            let rounds = remainder != 0 && (remainder < 0) != (other < 0)
            if operation == .remainder { return .integer(rounds ? remainder + other : remainder) }
            return .integer(rounds ? quotient.partialValue - 1 : quotient.partialValue)
        case .power:
            guard other >= 0 else { return try real(operation, Double(one), Double(other)) }
            return try power(one, other)
        }
    }

    private func power(_ base: Int, _ exponent: Int) throws -> Value {
        if exponent == 0 { return .integer(1) }
        if base == 0 || base == 1 { return .integer(base) }
        if base == -1 { return .integer(exponent % 2 == 0 ? 1 : -1) }
        var result = 1
        for _ in 0..<min(exponent, 64) {
            let product = result.multipliedReportingOverflow(by: base)
            guard !product.overflow else { throw unsupported("a whole number of more than 64 bits") }
            result = product.partialValue
        }
        return .integer(result)
    }

    private func real(_ operation: Expression.Arithmetic, _ one: Double, _ other: Double) throws -> Value {
        switch operation {
        case .add: return .number(one + other)
        case .subtract: return .number(one - other)
        case .multiply: return .number(one * other)
        case .divide, .floorDivide, .remainder:
            guard other != 0 else { throw failure("division by zero") }
            if operation == .divide { return .number(one / other) }
            var remainder = fmod(one, other)
            var quotient = (one - remainder) / other
            if remainder != 0 {
                if (remainder < 0) != (other < 0) {
                    remainder += other
                    quotient -= 1
                }
            } else {
                remainder = Double(signOf: other, magnitudeOf: 0)
            }
            if operation == .remainder { return .number(remainder) }
            if quotient == 0 { return .number(Double(signOf: one / other, magnitudeOf: 0)) }
            let floored = quotient.rounded(.down)
            return .number(quotient - floored > 0.5 ? floored + 1 : floored)
        case .power:
            guard one != 0 || other >= 0 else { throw failure("0.0 cannot be raised to a negative power") }
            guard one >= 0 || other == other.rounded() else { throw unsupported("a complex number") }
            let result = pow(one, other)
            guard result.isFinite || !one.isFinite || !other.isFinite else {
                throw failure("Numerical result out of range")
            }
            return .number(result)
        }
    }

    func negated(_ value: Value) throws -> Value {
        if case .undefined(let why) = value { throw failure(why) }
        if let number = value.wholeNumber {
            guard number != Int.min else { throw unsupported("a whole number of more than 64 bits") }
            return .integer(-number)
        }
        guard case .number(let number) = value else { throw failure("bad operand type for unary -: '\(value.kind)'") }
        return .number(-number)
    }

    func positive(_ value: Value) throws -> Value {
        if case .undefined(let why) = value { throw failure(why) }
        if let number = value.wholeNumber { return .integer(number) }
        guard case .number = value else { throw failure("bad operand type for unary +: '\(value.kind)'") }
        return value
    }
}
