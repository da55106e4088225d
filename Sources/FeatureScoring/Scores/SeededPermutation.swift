import RandomNumbers

/// Seeded permutations, the same on every machine and in every release.
///
/// The standard library's `shuffled(using:)` does not specify its algorithm.
package enum SeededPermutation {
    /// A uniformly drawn permutation of 0..<count (Fisher and Yates).
    package static func permutation(count: Int, seed: UInt64) -> [Int] {
        var generator = SplitMix64(seed: seed)
        return permutation(count: count, using: &generator)
    }

    /// A uniformly drawn permutation of 0..<count without a fixed point.
    ///
    /// Permutations are drawn until one has no fixed point; about one in 2.72 does.
    ///
    /// - Returns: the image of each element; `nil` for a single element.
    package static func derangement(count: Int, seed: UInt64) -> [Int]? {
        guard count != 1 else { return nil }
        var generator = SplitMix64(seed: seed)
        while true {
            let candidate = permutation(count: count, using: &generator)
            if candidate.indices.allSatisfy({ candidate[$0] != $0 }) { return candidate }
        }
    }

    private static func permutation(count: Int, using generator: inout SplitMix64) -> [Int] {
        precondition(count >= 0, "a permutation of \(count) elements")
        var order = Array(0..<count)
        for last in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(last, generator.next(below: last + 1))
        }
        return order
    }
}
