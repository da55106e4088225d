import RandomNumbers

/// A proportional stratified sample, so that means over it estimate those of the population.
package enum StratifiedSample {
    /// Draws members of strata by a seed, the same on every machine and in every release.
    ///
    /// - Parameters:
    ///   - strata: the members of each stratum.
    ///   - count: how many to draw; all if there are no more.
    /// - Returns: the members drawn, ascending. Each stratum gives its share rounded down; what is left goes to the
    ///   largest remainders, lower strata first among equals (Hamilton's method).
    package static func draw(from strata: [[Int]], count: Int, seed: UInt64) -> [Int] {
        let total = strata.reduce(0) { $0 + $1.count }
        guard count < total else { return strata.joined().sorted() }
        let shares = strata.map { Double($0.count) * Double(count) / Double(total) }
        var counts = shares.map { Int($0) }
        let byRemainder = strata.indices.sorted {
            let (one, two) = (shares[$0] - Double(counts[$0]), shares[$1] - Double(counts[$1]))
            return one != two ? one > two : $0 < $1
        }
        for stratum in byRemainder.prefix(count - counts.reduce(0, +)) { counts[stratum] += 1 }
        return strata.indices.flatMap { stratum in
            SeededPermutation.permutation(
                count: strata[stratum].count, seed: SplitMix64.hash(seed: seed, UInt64(stratum), 0, 0)
            ).prefix(counts[stratum]).map { strata[stratum][$0] }
        }.sorted()
    }

    /// Quantile groups of about equal size, for strata of a continuous quantity.
    ///
    /// - Parameter groups: how many at most.
    package static func quantiles(of members: [(member: Int, value: Double)], groups: Int) -> [[Int]] {
        precondition(groups > 0, "\(groups) groups")
        let sorted = members.sorted { $0.value != $1.value ? $0.value < $1.value : $0.member < $1.member }
        return (0..<groups).map { group in
            sorted[sorted.count * group / groups..<sorted.count * (group + 1) / groups].map(\.member)
        }.filter { !$0.isEmpty }
    }
}
