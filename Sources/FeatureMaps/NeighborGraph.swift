/// Who is whose neighbour, either way, with weights.
///
/// Each feature spreads a weight of 1 evenly over its own neighbours; an edge weighs what both ends give it, divided by
/// twice the number of features, so that all edges, counted from both ends, weigh 1 (the symmetric affinities of t-SNE).
package struct NeighborGraph: Sendable {
    /// Features.
    package let count: Int
    /// Where each feature's edges begin in `ends`; one more than features.
    package let starts: [Int]
    /// The other ends of the edges, ascending for each feature.
    package let ends: [Int32]
    /// The edges' weights.
    package let weights: [Float]

    /// Joins lists of neighbours. A feature that names itself, one that is not there, or the same one twice is not
    /// counted.
    package init(count: Int, pairs: [(feature: Int, neighbor: Int)]) {
        let valid = pairs.filter {
            $0.feature != $0.neighbor && (0..<count).contains($0.feature) && (0..<count).contains($0.neighbor)
        }
        let keys = Set(valid.map { UInt64($0.feature) << 32 | UInt64($0.neighbor) })
        var degrees = [Int](repeating: 0, count: count)
        for key in keys { degrees[Int(key >> 32)] += 1 }
        // Both directions in order, so that sums of weights have one order as well.
        let both = Set(keys.flatMap { [$0, $0 << 32 | $0 >> 32] }).sorted()
        var starts = [Int](repeating: 0, count: count + 1)
        var weights: [Float] = []
        weights.reserveCapacity(both.count)
        for key in both {
            let (one, other) = (Int(key >> 32), Int(key & 0xFFFF_FFFF))
            starts[one + 1] += 1
            let given = keys.contains(key) ? 1 / Double(degrees[one]) : 0
            let taken = keys.contains(key << 32 | key >> 32) ? 1 / Double(degrees[other]) : 0
            weights.append(Float((given + taken) / Double(2 * count)))
        }
        for feature in 0..<count { starts[feature + 1] += starts[feature] }
        self.count = count
        self.starts = starts
        self.weights = weights
        ends = both.map { Int32(truncatingIfNeeded: $0 & 0xFFFF_FFFF) }
    }
}
