/// Finds the n-th largest of many positive numbers by counting their bits, in two passes of 16 bits each; positive floats
/// are ordered as their bits are. A NaN counts as the largest.
struct PositiveRanks {
    /// How many numbers have each value of the 16 bits that are counted `[65536]`.
    private var counts = [Int](repeating: 0, count: 1 << 16)

    /// A number's key: ordered as the numbers are.
    static func key(_ value: Float) -> UInt32 { value.bitPattern & 0x7FFF_FFFF }

    /// Counts a number by its upper 16 bits or, of the numbers that have certain upper bits, by its lower ones.
    mutating func count(_ value: Float, below upper: UInt32?) {
        let key = Self.key(value)
        if let upper {
            if key >> 16 == upper { counts[Int(key & 0xFFFF)] += 1 }
        } else {
            counts[Int(key >> 16)] += 1
        }
    }

    /// Adds the counts of another part of the numbers.
    mutating func add(_ other: PositiveRanks) {
        for place in counts.indices { counts[place] += other.counts[place] }
    }

    /// The bits of the `rank`-th largest number, counted from 1, and how many numbers have larger bits; nil where there are
    /// fewer numbers.
    func bits(ofRank rank: Int) -> (bits: UInt32, above: Int)? {
        var above = 0
        for place in counts.indices.reversed() {
            if above + counts[place] >= rank { return (UInt32(place), above) }
            above += counts[place]
        }
        return nil
    }

    /// The key of the `rank`-th largest number, and how many are larger; nil where there are fewer numbers.
    ///
    /// - Parameter pass: counts all numbers in the way it is given.
    static func key(ofRank rank: Int, _ pass: (_ upper: UInt32?) -> PositiveRanks) -> (key: UInt32, above: Int)? {
        guard let upper = pass(nil).bits(ofRank: rank),
            let lower = pass(upper.bits).bits(ofRank: rank - upper.above)
        else { return nil }
        return (upper.bits << 16 | lower.bits, upper.above + lower.above)
    }
}
