import RandomNumbers

/// A counter-based generator: its state is a key and a count, so two numbers checkpoint it and any
/// stream can be entered at any position.
///
/// The output function is the finaliser of SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number
/// generators", OOPSLA) applied to `key + count · golden ratio`.
package struct CounterGenerator: RandomNumberGenerator, Sendable, Codable, Equatable {
    /// The stream; equal keys give equal numbers.
    package let key: UInt64
    /// How many numbers have been drawn.
    package private(set) var count: UInt64

    /// Makes a stream from a seed and a name for its purpose, so that two uses of one seed never share numbers.
    package init(seed: UInt64, stream: String = "") {
        var key = SplitMix64.mixed(seed &+ 0x9E37_79B9_7F4A_7C15)
        for byte in stream.utf8 { key = SplitMix64.mixed(key ^ UInt64(byte) &+ 0x9E37_79B9_7F4A_7C15) }
        self.key = key
        count = 0
    }

    /// The next 64 random bits.
    package mutating func next() -> UInt64 {
        count &+= 1
        return SplitMix64.mixed(key &+ count &* 0x9E37_79B9_7F4A_7C15)
    }

    /// The same stream at another position: as if `count` numbers had been drawn.
    package func entered(at count: UInt64) -> CounterGenerator {
        var other = self
        other.count = count
        return other
    }

    /// A uniform number in [0, 1) with 24 random bits.
    package mutating func uniform() -> Float {
        Float(next() >> 40) * 0x1p-24
    }

    /// A uniform integer in `0..<bound`, with negligible bias (128-bit multiply; Lemire 2019).
    package mutating func index(below bound: Int) -> Int {
        precondition(bound > 0, "nothing to choose from")
        return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// Shuffles in place (Fisher–Yates).
    package mutating func shuffle<Element>(_ elements: inout [Element]) {
        guard elements.count > 1 else { return }
        for last in stride(from: elements.count - 1, to: 0, by: -1) {
            elements.swapAt(last, index(below: last + 1))
        }
    }
}
