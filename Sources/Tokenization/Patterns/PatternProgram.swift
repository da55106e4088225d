/// A regular expression as instructions for `PatternMachine`.
///
/// A choice is an instruction that can go on in more than one way; the machine remembers where each of them has failed.
struct PatternProgram: Sendable {
    enum Instruction: Sendable {
        case byte(UInt8)
        /// One scalar of a class.
        case scalar(Int)
        /// A run of scalars of a class.
        case span(Span)
        /// Goes on at `preferred`, and at `other` if that fails. Each is left out where the next byte cannot begin it.
        case split(preferred: Int, other: Int, choice: Int)
        case jump(Int)
        case anchor(PatternNode.Anchor)
        /// `\b`, `\B` by the class of `\w`.
        case boundary(Int, isNegative: Bool)
        /// Looks at the next scalar or the one before.
        case peek(Int, PatternNode.Look)
        /// The instructions up to `end` match from here, or from so many scalars before.
        case look(end: Int, back: Int, isNegative: Bool)
        /// The first match of the instructions up to `end`.
        case atomic(end: Int)
        case accept
        /// Notes the position at which a pass of a loop begins.
        case mark(slot: Int)
        /// Leaves a loop whose pass has taken nothing.
        case leaveIfEmpty(slot: Int, exit: Int)
    }

    struct Span: Sendable {
        var scalarClass: Int
        var minimum: Int
        /// `Int.max` for any number.
        var maximum: Int
        var preference: PatternNode.Repetition.Preference
        var choice: Int
    }

    var instructions: [Instruction] = []
    var classes = ScalarClassTable()
    var slotCount = 0
    /// For each choice its number among those inside of lookaround and atomic groups, -1 for the others.
    var innerChoices: [Int] = []
    /// The bytes that can begin a match from each instruction on; a superset.
    var firstBytes: [ByteSet] = []
    /// Whether the whole can match without taking a scalar.
    var isNullable = false
}

/// A set of bytes.
struct ByteSet: Sendable, Equatable {
    private var words: SIMD4<UInt64> = .zero

    static let all: ByteSet = {
        var set = ByteSet()
        set.words = SIMD4(repeating: .max)
        return set
    }()

    mutating func insert(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 != 0 }

    func union(_ other: ByteSet) -> ByteSet {
        var set = self
        set.words |= other.words
        return set
    }
}
