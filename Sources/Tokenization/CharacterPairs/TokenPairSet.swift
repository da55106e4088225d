import RandomNumbers

/// A set of pairs of token ids: an open-addressing table, its mixing seeded randomly in every process.
struct TokenPairSet: Sendable {
    private var slots: [UInt64]
    private let seed: UInt64
    private static let free = UInt64.max

    init(_ pairs: Set<UInt64>) {
        var count = 16
        while count < 2 * pairs.count { count *= 2 }
        slots = [UInt64](repeating: Self.free, count: count)
        seed = UInt64.random(in: .min ... .max)
        for pair in pairs { slots[slot(of: pair)] = pair }
    }

    /// A pair of ids, which are not negative, as an element.
    @inline(__always)
    static func packed(_ left: TokenID, _ right: TokenID) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    @inline(__always)
    func contains(_ left: TokenID, _ right: TokenID) -> Bool {
        let pair = Self.packed(left, right)
        return slots[slot(of: pair)] == pair
    }

    @inline(__always)
    private func slot(of pair: UInt64) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: SplitMix64.mixed(pair ^ seed)) & mask
        while slots[slot] != pair, slots[slot] != Self.free { slot = (slot + 1) & mask }
        return slot
    }
}
