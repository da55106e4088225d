/// Turns the tree of a regular expression into a program.
struct PatternCompiler {
    private(set) var program = PatternProgram()
    /// How many atomic groups and lookarounds are open.
    private var innerDepth = 0
    /// The sum of the limits of all runs: each may cost that much at every position.
    private var boundedLengths = 0

    /// With larger programs remembering failures would take tens of times the text.
    static let maximumChoices = 256
    static let maximumInstructions = 1 << 13
    static let maximumClasses = 256
    static let maximumBoundedLengths = 1 << 10

    static func compile(_ node: PatternNode) throws(PatternError) -> PatternProgram {
        var compiler = PatternCompiler()
        try compiler.emit(node)
        try compiler.add(.accept)
        compiler.program.isNullable = node.isNullable
        compiler.program.firstBytes = PatternFirstBytes.of(compiler.program)
        return compiler.program
    }

    private var here: Int { program.instructions.count }

    private mutating func add(_ instruction: PatternProgram.Instruction) throws(PatternError) {
        guard here < Self.maximumInstructions, program.innerChoices.count <= Self.maximumChoices,
            program.classes.sets.count <= Self.maximumClasses, boundedLengths <= Self.maximumBoundedLengths
        else {
            throw PatternError(problem: "too much repetition or too many alternatives", offset: 0, isMalformed: false)
        }
        program.instructions.append(instruction)
    }

    private mutating func newChoice() -> Int {
        let innerCount = program.innerChoices.lazy.filter { $0 >= 0 }.count
        program.innerChoices.append(innerDepth > 0 ? innerCount : -1)
        return program.innerChoices.count - 1
    }

    private mutating func emit(_ node: PatternNode) throws(PatternError) {
        switch node {
        case .scalar(let set):
            if let scalar = set.only {
                for byte in UTF8.encode(scalar) ?? .init() { try add(.byte(byte)) }
            } else {
                try add(.scalar(program.classes.index(of: set)))
            }
        case .sequence(let parts):
            for part in parts { try emit(part) }
        case .alternatives(let choices): try emit(alternatives: choices)
        case .repetition(let body, let count): try emit(body, repeated: count)
        case .atomic(.repetition(.scalar(let set), var count)) where count.preference != .fewer:
            count.preference = .allOrNothing
            try emit(.scalar(set), repeated: count)
        case .atomic(let body):
            let start = here
            try add(.atomic(end: 0))
            try emit(inner: body)
            program.instructions[start] = .atomic(end: here)
        case .look(.scalar(let set), let look):
            try add(.peek(program.classes.index(of: set), look))
        case .look(let body, let look):
            let start = here
            try add(.accept)
            try emit(inner: body)
            let back = look.isBehind ? body.fixedLength ?? 0 : 0
            program.instructions[start] = .look(end: here, back: back, isNegative: look.isNegative)
        case .anchor(let anchor):
            switch anchor {
            case .wordBoundary, .noWordBoundary:
                try add(.boundary(program.classes.index(of: .bareWord), isNegative: anchor == .noWordBoundary))
            default: try add(.anchor(anchor))
            }
        }
    }

    private mutating func emit(inner body: PatternNode) throws(PatternError) {
        innerDepth += 1
        try emit(body)
        try add(.accept)
        innerDepth -= 1
    }

    private mutating func emit(alternatives choices: [PatternNode]) throws(PatternError) {
        var jumps: [Int] = []
        for (number, body) in choices.enumerated() {
            guard number < choices.count - 1 else {
                try emit(body)
                break
            }
            let split = here
            let choice = newChoice()
            try add(.accept)
            try emit(body)
            jumps.append(here)
            try add(.accept)
            program.instructions[split] = .split(preferred: split + 1, other: here, choice: choice)
        }
        for jump in jumps { program.instructions[jump] = .jump(here) }
    }

    private mutating func emit(
        _ body: PatternNode, repeated count: PatternNode.Repetition
    ) throws(PatternError) {
        if case .scalar(let set) = body {
            boundedLengths += count.maximum ?? 0
            try add(
                .span(
                    .init(
                        scalarClass: program.classes.index(of: set), minimum: count.minimum,
                        maximum: count.maximum ?? .max, preference: count.preference, choice: newChoice())))
            return
        }
        // What matches nothing but the empty text need not be repeated.
        if body == .empty { return }
        let isOpen = count.maximum == nil
        for _ in 0..<(isOpen ? max(count.minimum - 1, 0) : count.minimum) { try emit(body) }
        if isOpen {
            try emit(loop: body, preference: count.preference, atLeastOnce: count.minimum > 0)
            return
        }
        var splits: [(place: Int, choice: Int)] = []
        for _ in count.minimum..<max(count.maximum ?? 0, count.minimum) {
            splits.append((here, newChoice()))
            try add(.accept)
            try emit(body)
        }
        for split in splits { setSplit(split, inside: split.place + 1, outside: here, count.preference) }
    }

    private mutating func emit(
        loop body: PatternNode, preference: PatternNode.Repetition.Preference, atLeastOnce: Bool
    ) throws(PatternError) {
        var split = (place: here, choice: newChoice())
        if !atLeastOnce { try add(.accept) }
        let start = here
        let slot = program.slotCount
        if body.isNullable {
            program.slotCount += 1
            try add(.mark(slot: slot))
        }
        try emit(body)
        let check = here
        if body.isNullable { try add(.accept) }
        if atLeastOnce {
            split.place = here
            try add(.accept)
        } else {
            try add(.jump(split.place))
        }
        if body.isNullable { program.instructions[check] = .leaveIfEmpty(slot: slot, exit: here) }
        setSplit(split, inside: start, outside: here, preference)
    }

    private mutating func setSplit(
        _ split: (place: Int, choice: Int), inside: Int, outside: Int, _ preference: PatternNode.Repetition.Preference
    ) {
        program.instructions[split.place] =
            preference == .fewer
            ? .split(preferred: outside, other: inside, choice: split.choice)
            : .split(preferred: inside, other: outside, choice: split.choice)
    }
}
