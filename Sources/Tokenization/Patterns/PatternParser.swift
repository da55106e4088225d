/// Reads regular expressions in the syntax that Oniguruma calls its own, as far as tokenizers use it.
struct PatternParser {
    let scalars: [Unicode.Scalar]
    var position = 0
    /// What applies at the position: `(?i)` and `(?m)`.
    var options = Options()
    /// How many negated classes have been read.
    var negatedClassCount = 0
    private var depth = 0

    struct Options {
        var ignoresCase = false
        /// Whether `.` takes line breaks.
        var dotTakesAll = false
    }

    private static let maximumDepth = 40
    /// The largest number in braces.
    static let maximumCount = 1000
    static let maximumLength = 1 << 16

    private init(_ expression: String) { scalars = Array(expression.unicodeScalars) }

    static func parse(_ expression: String) throws(PatternError) -> PatternNode {
        var parser = PatternParser(expression)
        guard parser.scalars.count <= maximumLength else {
            throw PatternError(
                problem: "more than \(maximumLength) characters", offset: maximumLength, isMalformed: false)
        }
        let node = try parser.alternatives()
        guard parser.isAtEnd else { throw parser.malformed("an unmatched \")\"") }
        return node
    }

    var isAtEnd: Bool { position == scalars.count }
    var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    /// Whether a text stands at the position; moves behind it if so.
    mutating func take(_ text: String) -> Bool {
        guard scalars[position...].starts(with: text.unicodeScalars) else { return false }
        position += text.unicodeScalars.count
        return true
    }

    func malformed(_ problem: String, at offset: Int? = nil) -> PatternError {
        PatternError(problem: problem, offset: offset ?? position, isMalformed: true)
    }

    func unsupported(_ problem: String, at offset: Int? = nil) -> PatternError {
        PatternError(problem: problem, offset: offset ?? position, isMalformed: false)
    }

    /// Alternatives up to a closing parenthesis or the end.
    mutating func alternatives() throws(PatternError) -> PatternNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else {
            throw unsupported("a group inside more than \(Self.maximumDepth) others")
        }
        let outer = options
        defer { options = outer }
        var choices: [PatternNode] = []
        repeat { choices.append(try sequence()) } while take("|")
        return choices.count == 1 ? choices[0] : .alternatives(choices)
    }

    private mutating func sequence() throws(PatternError) -> PatternNode {
        var parts: [PatternNode] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            let start = position
            // An option in the middle holds for all that follows in the group, which becomes a group of its own.
            if let changed = try optionSwitch() {
                let outer = options
                defer { options = outer }
                options = changed
                parts.append(try alternatives())
                break
            }
            let literal = position
            guard let atom = try atom() else { continue }
            let part = try quantified(atom, from: start)
            if options.ignoresCase { try checkFolding(before: literal, after: position) }
            parts.append(part)
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    /// Refuses two letters that a single scalar stands for when case is ignored, such as ß for `ss`.
    private func checkFolding(before start: Int, after end: Int) throws(PatternError) {
        guard end < scalars.count, end == start + 1 else { return }
        let pair = String(String.UnicodeScalarView([scalars[start], scalars[end]])).lowercased()
        let marks: [UInt32] = [0x2BE, 0x307, 0x308, 0x30A, 0x30C, 0x331]
        if ["ss", "st", "ff", "fi", "fl", "\u{2BC}n"].contains(pair) || marks.contains(scalars[end].value) {
            throw unsupported("\"\(pair)\" with (?i), for which one character may stand,", at: start)
        }
    }

    /// One element; nil for a comment.
    private mutating func atom() throws(PatternError) -> PatternNode? {
        guard let scalar = next else { return nil }
        let start = position
        position += 1
        switch scalar {
        case "(": return try group(from: start)
        case "[": return .scalar(try bracket(from: start))
        case ".": return .scalar(options.dotTakesAll ? .everything : ScalarSet.newline.inverted)
        case "^": return .anchor(.lineStart)
        case "$": return .anchor(.lineEnd)
        case "\\": return try escape(from: start)
        case "*", "+", "?": throw malformed("\"\(scalar)\" without anything to repeat", at: start)
        default: return .scalar(try folded(ScalarSet(scalar), at: start))
        }
    }

    /// A set with the other cases of its letters if case is ignored.
    func folded(_ set: ScalarSet, at place: Int) throws(PatternError) -> ScalarSet {
        guard options.ignoresCase else { return set }
        guard set.intersection(ScalarSet.otherCased).isEmpty else {
            throw unsupported("(?i) with letters beyond ASCII that have cases", at: place)
        }
        var others: [ClosedRange<UInt32>] = []
        for letter in UInt32(0x61)...0x7A {
            var forms = [letter, letter - 0x20]
            if letter == 0x6B { forms.append(0x212A) }
            if letter == 0x73 { forms.append(0x17F) }
            if forms.contains(where: set.contains) { others += forms.map { $0...$0 } }
        }
        return ScalarSet(set.ranges + others)
    }
}
