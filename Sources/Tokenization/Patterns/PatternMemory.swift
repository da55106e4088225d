/// Where the choices of a program have been found to fail, and where those inside of lookaround and atomic groups lead.
///
/// Both depend on nothing but the choice and the position, so every choice is explored once at a position.
struct PatternMemory {
    private final class Block {
        var failures: [UInt64]
        /// 0 for unknown, otherwise one more than the length of the match.
        var lengths: [UInt32] = []

        init(choices: Int) { failures = Array(repeating: 0, count: choices * PatternMemory.blockSize / 64) }
    }

    /// Positions in a block.
    private static let blockSize = 1 << 10

    private let innerChoices: [Int]
    private let innerCount: Int
    private var blocks: [Block?] = []
    private var firstBlock = 0

    init(innerChoices: [Int]) {
        self.innerChoices = innerChoices
        innerCount = innerChoices.lazy.filter { $0 >= 0 }.count
    }

    /// Frees what is known of positions before one.
    mutating func forget(before position: Int) {
        let block = min(position / Self.blockSize, blocks.count)
        while firstBlock < block {
            blocks[firstBlock] = nil
            firstBlock += 1
        }
    }

    func hasFailed(_ choice: Int, at position: Int) -> Bool {
        let index = position / Self.blockSize
        guard index < blocks.count, let block = blocks[index] else { return false }
        let bit = choice * Self.blockSize + position % Self.blockSize
        return block.failures[bit / 64] >> UInt64(bit % 64) & 1 != 0
    }

    /// - Complexity: O(1) for every 64 positions.
    mutating func noteFailure(_ choice: Int, at positions: ClosedRange<Int>) {
        var position = positions.lowerBound
        while position <= positions.upperBound {
            let last = min(positions.upperBound, position | 63)
            let bit = choice * Self.blockSize + position % Self.blockSize
            let mask = (UInt64.max >> UInt64(63 - (last - position))) << UInt64(position & 63)
            block(of: position).failures[bit / 64] |= mask
            position = last + 1
        }
    }

    /// The end of the match of the group around an inner choice, from that choice on.
    func end(_ choice: Int, at position: Int) -> Int? {
        let index = position / Self.blockSize
        guard innerChoices[choice] >= 0, index < blocks.count, let block = blocks[index], !block.lengths.isEmpty else {
            return nil
        }
        let length = block.lengths[innerChoices[choice] * Self.blockSize + position % Self.blockSize]
        return length == 0 ? nil : position + Int(length) - 1
    }

    mutating func noteEnd(_ end: Int, of choice: Int, at positions: ClosedRange<Int>) {
        guard innerChoices[choice] >= 0 else { return }
        for position in positions {
            guard let length = UInt32(exactly: end - position + 1) else { continue }
            let block = block(of: position)
            if block.lengths.isEmpty { block.lengths = Array(repeating: 0, count: innerCount * Self.blockSize) }
            block.lengths[innerChoices[choice] * Self.blockSize + position % Self.blockSize] = length
        }
    }

    private mutating func block(of position: Int) -> Block {
        let index = position / Self.blockSize
        if index >= blocks.count { blocks += Array(repeating: nil, count: index + 1 - blocks.count) }
        if let block = blocks[index] { return block }
        let block = Block(choices: innerChoices.count)
        blocks[index] = block
        return block
    }
}
