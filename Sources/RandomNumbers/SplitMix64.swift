/// A counter-based generator: the n-th number depends on the seed and n alone.
///
/// SplitMix64 (Steele, Lea, Flood 2014, *Fast splittable pseudorandom number generators*): the counter times an odd
/// constant, mixed. Not for secrets.
package struct SplitMix64: RandomNumberGenerator, Hashable, Sendable {
    /// The counter.
    package private(set) var state: UInt64

    /// Starts a sequence.
    package init(seed: UInt64) {
        state = seed
    }

    /// The next number, uniform over all 64-bit integers.
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mixed(state)
    }

    /// The finaliser: a bijection of the 64-bit integers that decorrelates neighbours.
    @inlinable @inline(__always)
    package static func mixed(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A hash of some numbers under a seed, the same on every machine.
    @inlinable @inline(__always)
    package static func hash(seed: UInt64, _ first: UInt64, _ second: UInt64, _ third: UInt64) -> UInt64 {
        var hash = mixed(seed &+ 0x9E37_79B9_7F4A_7C15)
        hash = mixed((hash ^ first) &+ 0x9E37_79B9_7F4A_7C15)
        hash = mixed((hash ^ second) &+ 0x9E37_79B9_7F4A_7C15)
        return mixed((hash ^ third) &+ 0x9E37_79B9_7F4A_7C15)
    }

    /// The next number below `bound`, uniform: a product's high word, drawn again in the rare case that favours some
    /// (Lemire 2019, *Fast random integer generation in an interval*).
    ///
    /// - Precondition: `bound` is above 0.
    package mutating func next(below bound: Int) -> Int {
        precondition(bound > 0, "nothing is below \(bound)")
        let bound = UInt64(bound)
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let rejected = (0 &- bound) % bound
            while product.low < rejected { product = next().multipliedFullWidth(by: bound) }
        }
        return Int(product.high)
    }
}
