/// A regular expression as a tree.
indirect enum PatternNode: Sendable, Equatable {
    /// One scalar of a set.
    case scalar(ScalarSet)
    case sequence([PatternNode])
    /// The first that lets the rest match is taken.
    case alternatives([PatternNode])
    case repetition(PatternNode, Repetition)
    /// Takes its first match and no other: `(?>…)`.
    case atomic(PatternNode)
    case look(PatternNode, Look)
    case anchor(Anchor)

    /// How often; `maximum` is nil for any number.
    struct Repetition: Sendable, Equatable {
        enum Preference: Sendable, Equatable { case more, fewer, allOrNothing }

        var minimum: Int
        var maximum: Int?
        var preference: Preference
    }

    struct Look: Sendable, Equatable {
        var isBehind: Bool
        var isNegative: Bool
    }

    enum Anchor: Sendable, Equatable {
        case lineStart, lineEnd, textStart, textEnd, lastLineEnd, wordBoundary, noWordBoundary
    }

    static let empty = PatternNode.sequence([])

    /// Whether this can match without taking a scalar.
    var isNullable: Bool {
        switch self {
        case .scalar: false
        case .sequence(let parts): parts.allSatisfy(\.isNullable)
        case .alternatives(let choices): choices.contains(where: \.isNullable)
        case .repetition(let body, let count): count.minimum == 0 || body.isNullable
        case .atomic(let body): body.isNullable
        case .look, .anchor: true
        }
    }

    /// The number of scalars of every match; nil if matches differ in it.
    var fixedLength: Int? {
        switch self {
        case .scalar: return 1
        case .sequence(let parts):
            var sum = 0
            for part in parts {
                guard let length = part.fixedLength else { return nil }
                sum += length
            }
            return sum
        case .alternatives(let choices):
            let lengths = choices.map(\.fixedLength)
            return lengths.allSatisfy { $0 == lengths.first } ? lengths.first ?? 0 : nil
        case .repetition(let body, let count):
            guard count.minimum == count.maximum, let length = body.fixedLength else { return nil }
            return length * count.minimum
        case .atomic(let body): return body.fixedLength
        case .look, .anchor: return 0
        }
    }

    /// Whether this is an anchor or lookaround, which no quantifier may follow.
    var isAssertion: Bool {
        switch self {
        case .look, .anchor: true
        case .sequence, .alternatives, .scalar, .repetition, .atomic: false
        }
    }

    /// Whether it contains lookaround.
    var looks: Bool {
        switch self {
        case .scalar, .anchor: false
        case .sequence(let parts), .alternatives(let parts): parts.contains(where: \.looks)
        case .repetition(let body, _), .atomic(let body): body.looks
        case .look: true
        }
    }
}
