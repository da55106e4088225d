/// Runs a program on a text by backtracking.
///
/// It begins to remember failures once it has worked more than a fixed amount for each byte, so that usual expressions
/// pay nothing for the bound on the time.
struct PatternMachine {
    let storage: TextPattern.Storage
    let code: UnsafePointer<PatternProgram.Instruction>
    let bits: UnsafeBufferPointer<UInt64>
    let firstBytes: UnsafePointer<ByteSet>
    let bytes: UnsafePointer<UInt8>
    let end: Int

    var stack: [Frame] = []
    var slots: [Int]
    var memory: PatternMemory?
    /// Steps back and scanned bytes so far.
    var work = 0
    /// The largest amount of work before failures are remembered.
    var allowedWork = 0

    /// What to go back to.
    struct Frame {
        enum Kind { case split, triedSplit, span, slot }
        var kind: Kind
        /// The instruction, or the number of a slot.
        var place: Int
        /// Where the instruction began, or the former value of a slot.
        var position: Int
        /// The end of the run that was tried last.
        var current = 0
        /// The shortest run to try; of a run that grows, how many more scalars it may take.
        var limit = 0
    }

    init(
        storage: TextPattern.Storage, code: UnsafePointer<PatternProgram.Instruction>,
        bits: UnsafeBufferPointer<UInt64>,
        firstBytes: UnsafePointer<ByteSet>, bytes: UnsafePointer<UInt8>, end: Int
    ) {
        self.storage = storage
        self.code = code
        self.bits = bits
        self.firstBytes = firstBytes
        self.bytes = bytes
        self.end = end
        slots = Array(repeating: 0, count: storage.program.slotCount)
    }

    static let freeWork = 10_000
    static let workPerByte = 32

    mutating func search(_ body: (Range<Int>) -> Void) {
        var start = 0
        var lastEnd = -1
        while true {
            if !storage.program.isNullable {
                while start < end, !firstBytes[0].contains(bytes[start]) { start = next(start) }
                if start >= end { return }
            }
            allowedWork = Self.freeWork + Self.workPerByte * start
            rememberIfNeeded()
            memory?.forget(before: start)
            let match = run(from: 0, at: start)
            if let match, match > start || lastEnd != start {
                body(start..<match)
                lastEnd = match
                if match > start {
                    start = match
                    continue
                }
            }
            if start >= end { return }
            start = next(start)
        }
    }

    mutating func rememberIfNeeded() {
        if memory == nil, work > allowedWork { memory = PatternMemory(innerChoices: storage.program.innerChoices) }
    }

    /// The position behind the scalar at a position before the end.
    @inline(__always)
    func next(_ position: Int) -> Int {
        let first = bytes[position]
        if first < 0x80 { return position + 1 }
        return min(end, position + (first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4))
    }

    /// The position of the scalar before a position, which is not the beginning.
    @inline(__always)
    func previous(_ position: Int) -> Int {
        var place = position - 1
        while place > 0, bytes[place] & 0xC0 == 0x80 { place -= 1 }
        return place
    }

    /// The position behind the scalar at a position; nil if there is none or it is not of the class.
    @inline(__always)
    func take(_ scalarClass: Int, at position: Int) -> Int? {
        guard position < end else { return nil }
        let first = Int(bytes[position])
        let table = scalarClass << 10
        if first < 0x80 {
            return bits[table + first >> 6] >> UInt64(first & 63) & 1 != 0 ? position + 1 : nil
        }
        func low(_ place: Int) -> Int { Int(bytes[place] & 0x3F) }
        let value: Int
        let length: Int
        if first < 0xE0 {
            (value, length) = ((first & 0x1F) << 6 | low(position + 1), 2)
        } else if first < 0xF0 {
            (value, length) = ((first & 0x0F) << 12 | low(position + 1) << 6 | low(position + 2), 3)
        } else {
            let scalar = (first & 7) << 18 | low(position + 1) << 12 | low(position + 2) << 6 | low(position + 3)
            return storage.program.classes.sets[scalarClass].contains(UInt32(scalar)) ? position + 4 : nil
        }
        return bits[table + value >> 6] >> UInt64(value & 63) & 1 != 0 ? position + length : nil
    }

    /// The end of a run of scalars of a class, and how many they are.
    @inline(__always)
    func run(of scalarClass: Int, atMost maximum: Int, from start: Int) -> (end: Int, count: Int) {
        var position = start
        var count = 0
        while count < maximum, let next = take(scalarClass, at: position) {
            position = next
            count += 1
        }
        return (position, count)
    }

    func holds(_ anchor: PatternNode.Anchor, at position: Int) -> Bool {
        let newline = UInt8(ascii: "\n")
        switch anchor {
        case .textStart: return position == 0
        case .textEnd: return position == end
        case .lineStart: return position == 0 || position < end && bytes[position - 1] == newline
        case .lineEnd: return position == end || bytes[position] == newline
        case .lastLineEnd: return position == end || position == end - 1 && bytes[position] == newline
        case .wordBoundary, .noWordBoundary: return false
        }
    }

    func isBoundary(_ word: Int, at position: Int) -> Bool {
        let before = position > 0 && take(word, at: previous(position)) != nil
        return before != (take(word, at: position) != nil)
    }
}
