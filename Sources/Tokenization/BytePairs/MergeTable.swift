import RandomNumbers

/// The merges of a byte-pair encoding: pairs of tokens with their result and rank.
///
/// An open-addressing table over the two ids packed into one integer; it is queried twice per merge, where the standard
/// dictionary's hash would take most of the time. The mixing is seeded randomly in every process, so no file can be
/// made to collide.
struct MergeTable: Sendable {
    /// The result of a pair.
    struct Merge {
        /// The position in the list of merges; the lowest is applied first.
        var rank: Int32
        /// The token that replaces the two.
        var token: TokenID
    }

    /// Packed pairs; free slots hold `free`, which no pair of non-negative ids packs to.
    private var pairs: [UInt64]
    private var merges: [Merge]
    private let seed: UInt64
    private static let free = UInt64.max

    /// - Parameter capacity: how many pairs will be set at most.
    init(capacity: Int) {
        var slotCount = 16
        while 2 * slotCount < 3 * capacity { slotCount *= 2 }
        pairs = [UInt64](repeating: Self.free, count: slotCount)
        merges = [Merge](repeating: Merge(rank: 0, token: 0), count: slotCount)
        seed = UInt64.random(in: .min ... .max)
    }

    /// The merge of two adjacent tokens, if any. Setting a pair again replaces its merge.
    subscript(left: TokenID, right: TokenID) -> Merge? {
        get {
            let pair = Self.packed(left, right)
            let slot = slot(of: pair)
            return pairs[slot] == pair ? merges[slot] : nil
        }
        set {
            guard let newValue else { preconditionFailure("merges are never removed") }
            let pair = Self.packed(left, right)
            let slot = slot(of: pair)
            pairs[slot] = pair
            merges[slot] = newValue
        }
    }

    /// All merges, the first one first.
    var inOrder: [(left: TokenID, right: TokenID, token: TokenID)] {
        let taken = pairs.indices.filter { pairs[$0] != Self.free }.sorted { merges[$0].rank < merges[$1].rank }
        return taken.map { slot in
            (
                TokenID(truncatingIfNeeded: pairs[slot] >> 32), TokenID(truncatingIfNeeded: pairs[slot]),
                merges[slot].token
            )
        }
    }

    private static func packed(_ left: TokenID, _ right: TokenID) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    private func slot(of pair: UInt64) -> Int {
        let mask = pairs.count - 1
        var slot = Int(truncatingIfNeeded: SplitMix64.mixed(pair ^ seed)) & mask
        while pairs[slot] != pair, pairs[slot] != Self.free { slot = (slot + 1) & mask }
        return slot
    }
}
