extension PatternParser {
    /// What follows an opening parenthesis; nil for a comment.
    mutating func group(from start: Int) throws(PatternError) -> PatternNode? {
        if take("?#") {
            while let scalar = next, scalar != ")" { position += scalar == "\\" ? 2 : 1 }
            position = min(position, scalars.count)
            try close(from: start)
            return nil
        }
        let outer = options
        defer { options = outer }
        var makeNode: (PatternNode) -> PatternNode = { $0 }
        if take("?<=") {
            return try lookbehind(.init(isBehind: true, isNegative: false), from: start)
        } else if take("?<!") {
            return try lookbehind(.init(isBehind: true, isNegative: true), from: start)
        } else if take("?=") {
            makeNode = { .look($0, .init(isBehind: false, isNegative: false)) }
        } else if take("?!") {
            makeNode = { .look($0, .init(isBehind: false, isNegative: true)) }
        } else if take("?>") {
            makeNode = { .atomic($0) }
        } else if take("?<") || take("?'") {
            try name(from: start)
        } else if take("?~") {
            throw unsupported("the absence operator (?~", at: start)
        } else if take("?(") {
            throw unsupported("a condition (?(", at: start)
        } else if take("?{") || take("*") {
            throw unsupported("a callout", at: start)
        } else if take("?") {
            options = try optionLetters(from: start)
            guard take(":") else { throw malformed("an unknown kind of group", at: start) }
        }
        let body = try alternatives()
        try close(from: start)
        return makeNode(body)
    }

    private mutating func close(from start: Int) throws(PatternError) {
        guard take(")") else { throw malformed("a \"(\" that is never closed", at: start) }
    }

    /// The name of a group, which has no meaning without references to it.
    private mutating func name(from start: Int) throws(PatternError) {
        var isEmpty = true
        while let scalar = next,
            scalar.properties.isAlphabetic || scalar.value == 0x5F || ScalarSet.digit.contains(scalar.value)
        {
            isEmpty = false
            position += 1
        }
        guard take(">") || take("'"), !isEmpty else { throw malformed("a group without a proper name", at: start) }
    }

    /// Each alternative of a lookbehind is looked for by its own length.
    private mutating func lookbehind(_ look: PatternNode.Look, from start: Int) throws(PatternError) -> PatternNode {
        let body = try alternatives()
        try close(from: start)
        guard !body.looks else { throw unsupported("lookaround in a lookbehind", at: start) }
        let choices = if case .alternatives(let choices) = body { choices } else { [body] }
        guard choices.allSatisfy({ $0.fixedLength != nil }) else {
            throw unsupported("a lookbehind of no fixed length", at: start)
        }
        let looks = choices.map { PatternNode.look($0, look) }
        guard looks.count > 1 else { return looks[0] }
        return look.isNegative ? .sequence(looks) : .alternatives(looks)
    }

    /// `(?i)` and the like by themselves: the options from there on, nil if none stand at the position.
    mutating func optionSwitch() throws(PatternError) -> Options? {
        let start = position
        guard position + 2 < scalars.count, scalars[position] == "(", scalars[position + 1] == "?",
            "imxWDSPyC-".unicodeScalars.contains(scalars[position + 2])
        else { return nil }
        position += 2
        let changed = try optionLetters(from: start)
        if take(")") { return changed }
        position = start
        return nil
    }

    private mutating func optionLetters(from start: Int) throws(PatternError) -> Options {
        var changed = options
        var isOn = true
        while let scalar = next, scalar != ")", scalar != ":" {
            switch scalar {
            case "-": isOn = false
            case "i": changed.ignoresCase = isOn
            case "m": changed.dotTakesAll = isOn
            case "x", "W", "D", "S", "P", "y", "C": throw unsupported("the option \"\(scalar)\"", at: start)
            default: throw malformed("an unknown kind of group", at: start)
            }
            position += 1
        }
        guard !isAtEnd else { throw malformed("a \"(\" that is never closed", at: start) }
        return changed
    }
}
