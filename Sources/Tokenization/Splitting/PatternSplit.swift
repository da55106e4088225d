/// A splitting step by a pattern. A class, since steps are looked at once for every piece.
final class PatternSplit: Sendable {
    enum Pattern: Sendable {
        case known(SplitPattern)
        case expression(TextPattern)
    }

    let pattern: Pattern
    let behavior: SplitBehavior
    /// Whether matches and the text between them change places.
    let isInverted: Bool
    /// What determines the matches: the regular expression, or the name of the step.
    let source: String

    init(pattern: Pattern, behavior: SplitBehavior, isInverted: Bool = false, source: String) {
        self.pattern = pattern
        self.behavior = behavior
        self.isInverted = isInverted
        self.source = source
    }

    /// Calls `body` with the pieces of a text from left to right; none is empty.
    func forEachPiece(of text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        var joiner = PieceJoiner(behavior)
        var previous = 0
        forEachMatch(in: text) { match in
            if match.lowerBound > previous {
                joiner.add(previous..<match.lowerBound, isMatch: isInverted, body)
            }
            joiner.add(match, isMatch: !isInverted, body)
            previous = match.upperBound
        }
        if previous < text.count { joiner.add(previous..<text.count, isMatch: isInverted, body) }
        joiner.finish(body)
    }

    private func forEachMatch(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        switch pattern {
        case .expression(let pattern): pattern.forEachMatch(in: text, body)
        case .known(let pattern):
            guard let base = text.baseAddress else { return }
            let scanner = ScalarScanner(bytes: base, end: text.count)
            var position = 0
            while position < text.count {
                let end = pattern.endOfMatch(from: position, in: scanner)
                body(position..<end)
                position = end
            }
        }
    }
}

extension PatternSplit {
    /// Splits at every scalar of a set.
    convenience init(at set: ScalarSet, _ behavior: SplitBehavior, source: String) throws(PatternError) {
        self.init(pattern: .expression(try TextPattern(.scalar(set))), behavior: behavior, source: source)
    }

    /// `Whitespace`: keeps the matches of `\w+|[^\w\s]+`, with the tables of another engine than that of `Split`.
    static func whitespace() throws(PatternError) -> PatternSplit {
        let word = CharacterDatabase.shared.whitespaceWord
        let other = word.union(.space).inverted
        let run = PatternNode.Repetition(minimum: 1, maximum: nil, preference: .more)
        let node = PatternNode.alternatives([.repetition(.scalar(word), run), .repetition(.scalar(other), run)])
        return PatternSplit(
            pattern: .expression(try TextPattern(node)), behavior: .removed, isInverted: true, source: "Whitespace")
    }
}
