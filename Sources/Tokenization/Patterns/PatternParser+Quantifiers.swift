extension PatternParser {
    /// An element with the quantifiers behind it.
    mutating func quantified(_ atom: PatternNode, from start: Int) throws(PatternError) -> PatternNode {
        var node = atom
        var count = 0
        while let repetition = try quantifier() {
            guard !node.isAssertion else { throw unsupported("a quantifier behind an anchor or lookaround", at: start) }
            // Oniguruma ends such a repetition early, depending on the size of the group.
            guard !node.isNullable || repetition.minimum < 2 && repetition.maximum ?? 0 < 2 else {
                throw unsupported("a counted repetition of what may match the empty text", at: start)
            }
            count += 1
            guard count <= 8 else { throw unsupported("more than 8 quantifiers in a row") }
            if repetition.preference == .allOrNothing {
                var greedy = repetition
                greedy.preference = .more
                // A single scalar is repeated without a group.
                if case .scalar = node {
                    node = .repetition(node, repetition)
                } else {
                    node = .atomic(.repetition(node, greedy))
                }
            } else {
                node = .repetition(node, repetition)
            }
        }
        return node
    }

    private mutating func quantifier() throws(PatternError) -> PatternNode.Repetition? {
        var repetition: PatternNode.Repetition
        switch next {
        case "*": repetition = .init(minimum: 0, maximum: nil, preference: .more)
        case "+": repetition = .init(minimum: 1, maximum: nil, preference: .more)
        case "?": repetition = .init(minimum: 0, maximum: 1, preference: .more)
        case "{": return try interval()
        default: return nil
        }
        position += 1
        if take("?") { repetition.preference = .fewer } else if take("+") { repetition.preference = .allOrNothing }
        return repetition
    }

    /// `{n}`, `{n,}`, `{,m}`, `{n,m}`; nil for another brace, which stands for itself.
    private mutating func interval() throws(PatternError) -> PatternNode.Repetition? {
        let start = position
        var place = start + 1
        func number() throws(PatternError) -> Int? {
            var value: Int?
            while place < scalars.count, let digit = Int(String(scalars[place])), scalars[place].isASCII {
                value = (value ?? 0) * 10 + digit
                guard value ?? 0 <= Self.maximumCount else {
                    throw unsupported("a repetition above \(Self.maximumCount)", at: start)
                }
                place += 1
            }
            return value
        }
        let minimum = try number()
        var maximum = minimum
        let isRange = place < scalars.count && scalars[place] == ","
        if isRange {
            place += 1
            maximum = try number()
        }
        guard place < scalars.count, scalars[place] == "}", minimum != nil || maximum != nil else { return nil }
        position = place + 1
        var repetition = PatternNode.Repetition(minimum: minimum ?? 0, maximum: maximum, preference: .more)
        if let maximum, repetition.minimum > maximum { throw unsupported("a repetition from more to fewer", at: start) }
        guard take("?") else { return repetition }
        if isRange {
            repetition.preference = .fewer
            return repetition
        }
        // `{n}?` means n times or not at all, which two quantifiers express; the second one is read next.
        position -= 1
        return repetition
    }
}
