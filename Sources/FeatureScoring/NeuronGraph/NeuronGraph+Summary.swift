extension NeuronGraph {
    /// One readable line such as `fires on " begat", " son" after " the"; strongest on " begat" after " and" (8.5)`.
    ///
    /// Tokens are quoted so that their spaces are visible, `*` stands for any token, `^` for the start of the sequence.
    /// The firing tokens that most contexts share come first.
    ///
    /// - Parameters:
    ///   - limit: how many firing tokens are named, the rest being counted.
    ///   - tokenText: the text of a token id.
    package func summary(limit: Int = 4, tokenText: (Int32) -> String) -> String {
        let groups = firingGroups()
        guard let strongest = patterns.max(by: Self.weaker) else { return "no pattern found" }
        let named = groups.prefix(max(limit, 1))
        var line =
            "fires on " + named.map { Self.description(of: $0, tokenText: tokenText) }.joined(separator: ", ")
        if groups.count > named.count { line += " and \(groups.count - named.count) more" }
        if patterns.count > 1 {
            line += "; strongest on " + Self.description(of: strongest, tokenText: tokenText)
            line += " (\(Self.rounded(strongest.activation)))"
        }
        return line
    }

    /// The patterns that fire at one token (or at any, `nil`), the most supported first.
    private struct FiringGroup {
        let token: Int32?
        let patterns: [NeuronPattern]
        let contexts: Double
    }

    private func firingGroups() -> [FiringGroup] {
        Dictionary(grouping: patterns) { $0.tokens[$0.tokens.count - 1] }
            .map { token, patterns in
                FiringGroup(
                    token: token,
                    patterns: patterns.sorted(by: Self.moreSupported),
                    contexts: patterns.reduce(0) { $0 + Double($1.contexts) }
                )
            }
            .sorted { left, right in
                if left.contexts != right.contexts { return left.contexts > right.contexts }
                return Self.moreSupported(left.patterns[0], right.patterns[0])
            }
    }

    private static func moreSupported(_ left: NeuronPattern, _ right: NeuronPattern) -> Bool {
        if left.contexts != right.contexts { return left.contexts > right.contexts }
        if left.activation != right.activation { return left.activation > right.activation }
        return NeuronPattern.canonicallyPrecedes(left, right)
    }

    private static func weaker(_ left: NeuronPattern, _ right: NeuronPattern) -> Bool {
        if left.activation != right.activation { return left.activation < right.activation }
        return moreSupported(right, left)
    }

    /// A firing token, with the two best supported ways to get there unless it fires by itself.
    private static func description(of group: FiringGroup, tokenText: (Int32) -> String) -> String {
        let firing = group.token.map { quoted(tokenText($0)) } ?? "*"
        if group.patterns.contains(where: { $0.tokens.count == 1 && !$0.startsSequence }) { return firing }
        let ways = group.patterns.prefix(2).map { preceding($0, tokenText: tokenText) }
        let more = group.patterns.count > 2 ? " or …" : ""
        return firing + " after " + ways.joined(separator: " or ") + more
    }

    private static func description(of pattern: NeuronPattern, tokenText: (Int32) -> String) -> String {
        let firing = pattern.tokens[pattern.tokens.count - 1].map { quoted(tokenText($0)) } ?? "*"
        let before = preceding(pattern, tokenText: tokenText)
        return before.isEmpty ? firing : firing + " after " + before
    }

    /// The tokens before the firing one: `^` at the start, neighbouring known tokens in one pair of quotes.
    private static func preceding(_ pattern: NeuronPattern, tokenText: (Int32) -> String) -> String {
        var parts = pattern.startsSequence ? ["^"] : []
        var run = ""
        for token in pattern.tokens.dropLast() {
            if let token {
                run += tokenText(token)
            } else {
                if !run.isEmpty { parts.append(quoted(run)) }
                run = ""
                parts.append("*")
            }
        }
        if !run.isEmpty { parts.append(quoted(run)) }
        return parts.joined(separator: " ")
    }

    /// The text between quotes on one line, with whatever would not show up written as an escape.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            default:
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
                    result += "\\u{\(String(scalar.value, radix: 16))}"
                default:
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }

    /// The activation with at most two decimals.
    private static func rounded(_ activation: Float) -> String {
        let hundredths = (Double(activation) * 100).rounded() / 100
        let text = "\(hundredths)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
