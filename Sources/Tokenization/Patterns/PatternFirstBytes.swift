/// Finds the bytes that can begin a match from an instruction on.
struct PatternFirstBytes {
    private let program: PatternProgram
    private var known: [ByteSet?]

    /// For every instruction a superset of the bytes; all of them where the match may be empty.
    static func of(_ program: PatternProgram) -> [ByteSet] {
        var finder = PatternFirstBytes(program)
        // From the end, so that most of what an instruction depends on is known already.
        for place in program.instructions.indices.reversed() { finder.known[place] = finder.bytes(from: place) }
        return finder.known.map { $0 ?? .all }
    }

    private init(_ program: PatternProgram) {
        self.program = program
        known = Array(repeating: nil, count: program.instructions.count)
    }

    /// What a loop depends on in turn counts as all bytes.
    private func bytes(from place: Int) -> ByteSet {
        func later(_ place: Int) -> ByteSet { place < known.count ? known[place] ?? .all : .all }
        switch program.instructions[place] {
        case .byte(let byte):
            var set = ByteSet()
            set.insert(byte)
            return set
        case .scalar(let index): return program.classes.sets[index].firstBytes
        case .span(let span):
            let own = program.classes.sets[span.scalarClass].firstBytes
            return span.minimum > 0 ? own : own.union(later(place + 1))
        case .split(let preferred, let other, _): return later(preferred).union(later(other))
        case .jump(let target): return later(target)
        case .anchor, .boundary, .peek, .mark: return later(place + 1)
        case .look(let end, _, _): return later(end)
        case .atomic, .accept, .leaveIfEmpty: return .all
        }
    }
}
