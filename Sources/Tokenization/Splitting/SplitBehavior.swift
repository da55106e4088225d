/// What becomes of the matches of a `Split` and of the text between them.
enum SplitBehavior: String, Sendable, CaseIterable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"
}

/// Joins matches and the text between them, which come from left to right, into pieces.
///
/// Empty matches take part, but no piece is empty. The rules are those of the reference implementation
/// (huggingface/tokenizers, `NormalizedString::split`).
struct PieceJoiner {
    private let behavior: SplitBehavior
    private var pending: Range<Int>?
    private var pendingIsMatch = false

    init(_ behavior: SplitBehavior) { self.behavior = behavior }

    mutating func add(_ range: Range<Int>, isMatch: Bool, _ body: (Range<Int>) -> Void) {
        let joins: Bool
        switch behavior {
        case .removed:
            if !isMatch, !range.isEmpty { body(range) }
            return
        case .isolated:
            if !range.isEmpty { body(range) }
            return
        case .contiguous: joins = isMatch == pendingIsMatch
        case .mergedWithPrevious: joins = isMatch && !pendingIsMatch
        case .mergedWithNext: joins = !isMatch && pendingIsMatch
        }
        if joins, let start = pending?.lowerBound {
            pending = start..<range.upperBound
        } else {
            finish(body)
            pending = range
        }
        pendingIsMatch = isMatch
    }

    /// Passes on the last piece.
    mutating func finish(_ body: (Range<Int>) -> Void) {
        if let pending, !pending.isEmpty { body(pending) }
        pending = nil
    }
}
