import FeatureCatalog

/// How values are spread over bins, with what follows from it for other bins. The values of a bin count as spread evenly
/// over the part of it that lies between the smallest and the largest value.
struct BinnedValues {
    /// One more than bins, ascending.
    private let edges: [Double]
    private let counts: [Int]
    /// The smallest value.
    let smallest: Double
    /// The largest.
    let largest: Double
    /// How many there are.
    let total: Int

    /// Describes a spread; nil where there are no values, or the numbers contradict each other.
    init?(edges: [Double], counts: [Int], smallest: Double, largest: Double) {
        guard edges.count == counts.count + 1, smallest.isFinite, largest.isFinite, smallest <= largest,
            edges.allSatisfy(\.isFinite), zip(edges, edges.dropFirst()).allSatisfy({ $0 < $1 })
        else { return nil }
        var total = 0
        for count in counts {
            guard (0...1 << 53).contains(count), total + count <= 1 << 53 else { return nil }
            total += count
        }
        guard total > 0 else { return nil }
        self.edges = edges
        self.counts = counts
        self.smallest = smallest
        self.largest = largest
        self.total = total
    }

    /// The spread of a histogram of equal bins.
    init?(_ histogram: LinearHistogram, smallest: Double? = nil, largest: Double? = nil) {
        let edges = (0...histogram.counts.count).map { Double(histogram.firstBin + $0) * histogram.binWidth }
        self.init(
            edges: edges, counts: histogram.counts, smallest: smallest ?? edges.first ?? 0,
            largest: largest ?? edges.last ?? 0)
    }

    /// So many equal bins from the smallest to the largest value; where these are one, 0.5 to either side of it.
    ///
    /// - Returns: the middle of each bin, and its values, which together are `total`.
    /// - Precondition: `count` is above 0.
    func equalBins(_ count: Int) -> (centers: [Double], counts: [Int]) {
        let isOne = !(smallest < largest)
        let (low, high) = isOne ? (smallest - 0.5, smallest + 0.5) : (smallest, largest)
        let width = (high - low) / Double(count)
        let below = (0...count).map { place in
            if place == 0 { return 0 }
            if place == count { return total }
            let edge = low + Double(place) * width
            return isOne ? (edge > smallest ? total : 0) : Int(valuesBelow(edge).rounded())
        }
        return (
            (0..<count).map { low + (Double($0) + 0.5) * width }, zip(below, below.dropFirst()).map { max(0, $1 - $0) }
        )
    }

    /// How many values lie in low ..< high; the largest belongs to a range that ends there.
    func count(from low: Double, to high: Double) -> Double {
        max(0, (high >= largest ? Double(total) : valuesBelow(high)) - (low <= smallest ? 0 : valuesBelow(low)))
    }

    private func valuesBelow(_ edge: Double) -> Double {
        var sum = 0.0
        for (bin, count) in counts.enumerated() where count > 0 {
            let start = max(edges[bin], smallest)
            let end = min(edges[bin + 1], largest)
            if edge >= end {
                sum += Double(count)
            } else if edge > start {
                sum += Double(count) * (edge - start) / (end - start)
            }
        }
        return min(sum, Double(total))
    }
}
