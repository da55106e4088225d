/// A histogram of equal bins (tables `feature_linear_histogram` and `feature_logit_histogram`).
///
/// Bin i counts the values of i · width up to, but without, (i + 1) · width. The width is the smallest power of two, from
/// 2⁻²⁴ on, with which all values lie in the bins −256 … 255. So it depends on the values alone and not on their order,
/// and histograms of parts add up to that of the whole exactly.
package struct LinearHistogram: Equatable, Sendable {
    /// The bins on either side of 0 at most.
    package static let reach = 256
    /// The exponents of two that a width may have; with the last, every finite 32-bit float has a bin.
    package static let exponents = -24...120

    /// The width is two to this power.
    package let exponent: Int
    /// The number of the first bin that is not empty.
    package let firstBin: Int
    /// Values in the bins from `firstBin` to the last one that is not empty.
    package let counts: [Int]

    /// Describes a histogram; nil if it breaks the rules above for the bins, has no values, or more than 2⁵³.
    ///
    /// The width being the smallest is checked only against `counts`: see ``isNarrowest``.
    package init?(exponent: Int, firstBin: Int, counts: [Int]) {
        guard Self.exponents.contains(exponent), firstBin >= -Self.reach, firstBin < Self.reach,
            counts.count <= Self.reach - firstBin, let first = counts.first, let last = counts.last,
            first > 0, last > 0
        else { return nil }
        var total = 0
        for count in counts {
            guard (0...1 << 53).contains(count), total + count <= 1 << 53 else { return nil }
            total += count
        }
        self.exponent = exponent
        self.firstBin = firstBin
        self.counts = counts
    }

    /// Describes a histogram whose width is a number, as in the catalog; nil as for the other initialiser.
    package init?(binWidth: Double, firstBin: Int, counts: [Int]) {
        guard binWidth.isNormal, binWidth > 0, binWidth.significand == 1 else { return nil }
        self.init(exponent: Int(binWidth.exponent), firstBin: firstBin, counts: counts)
    }

    /// The width of a bin.
    package var binWidth: Double { Double(sign: .plus, exponent: exponent, significand: 1) }

    /// How many values there are.
    package var total: Int { counts.reduce(0, +) }

    /// Whether bins of half the width would not hold the values.
    package var isNarrowest: Bool {
        exponent == Self.exponents.lowerBound || firstBin < -Self.reach / 2
            || firstBin + counts.count > Self.reach / 2
    }

    /// The bin of a value; it may lie outside of −256 … 255 if the value was not counted.
    package func bin(of value: Double) -> Double { (value / binWidth).rounded(.down) }

    /// The histogram of the values of both; nil if there are more than 2⁵³.
    package func merged(with other: LinearHistogram) -> LinearHistogram? {
        let exponent = max(exponent, other.exponent)
        let (one, two) = (widened(to: exponent), other.widened(to: exponent))
        let first = min(one.first, two.first)
        let end = max(one.first + one.counts.count, two.first + two.counts.count)
        var counts = [Int](repeating: 0, count: end - first)
        for part in [one, two] {
            for (place, count) in part.counts.enumerated() { counts[part.first - first + place] += count }
        }
        return LinearHistogram(exponent: exponent, firstBin: first, counts: counts)
    }

    private func widened(to exponent: Int) -> (first: Int, counts: [Int]) {
        // Beyond ten halvings all bins are −1 and 0.
        let shift = min(exponent - self.exponent, 10)
        let first = firstBin >> shift
        var counts = [Int](repeating: 0, count: ((firstBin + self.counts.count - 1) >> shift) - first + 1)
        for (place, count) in self.counts.enumerated() { counts[((firstBin + place) >> shift) - first] += count }
        return (first, counts)
    }
}
