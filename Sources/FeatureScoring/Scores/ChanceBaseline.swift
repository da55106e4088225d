/// The baseline of scores: the same contexts scored with another feature's explanation.
package struct ChanceBaseline: Hashable, Sendable {
    /// The defined baseline scores, ascending.
    package let scores: [Double]
    /// The number of undefined baseline scores.
    package let undefinedCount: Int

    /// Collects the baseline scores, `nil` for undefined ones.
    ///
    /// - Precondition: no score is NaN.
    package init(scores: [Double?]) {
        let defined = scores.compactMap { $0 }
        precondition(defined.allSatisfy { !$0.isNaN }, "an undefined score is nil, not NaN")
        self.scores = defined.sorted()
        undefinedCount = scores.count - defined.count
    }

    /// Assigns each feature another feature's explanation: each gets one, none its own.
    ///
    /// - Returns: for each feature's position in the list, the position of the explanation; `nil` for a single feature,
    ///   which has no baseline.
    package static func donors(featureCount: Int, seed: UInt64) -> [Int]? {
        SeededPermutation.derangement(count: featureCount, seed: seed)
    }

    /// A percentile of the baseline scores, interpolated linearly between neighbours (type 7 of
    /// Hyndman and Fan 1996, the default of NumPy and R).
    ///
    /// - Parameter share: 0…1; 0.95 is the threshold for interpretable features.
    /// - Returns: `nil` if no baseline score is defined.
    package func percentile(_ share: Double = 0.95) -> Double? {
        precondition(share >= 0 && share <= 1, "a share is within 0…1")
        guard let last = scores.indices.last else { return nil }
        let place = share * Double(last)
        let below = Int(place)
        guard below < last else { return scores[last] }
        return scores[below] + (place - Double(below)) * (scores[below + 1] - scores[below])
    }

    /// Whether a score exceeds the 95th percentile of the baseline; `nil` if either is undefined.
    package func isExceeded(by score: Double?) -> Bool? {
        guard let score, let limit = percentile() else { return nil }
        return score > limit
    }

    /// The probability that a score exceeds a baseline score, ties counting half: the area under
    /// the ROC curve (Mann and Whitney 1947). 1 is perfect separation, 0.5 none.
    ///
    /// - Returns: `nil` if there are none of either.
    package func separation(from others: [Double]) -> Double? {
        guard !scores.isEmpty, !others.isEmpty else { return nil }
        var (chancesBelow, chancesReached, won) = (0, 0, 0.0)
        for score in others.sorted() {
            while chancesBelow < scores.count, scores[chancesBelow] < score { chancesBelow += 1 }
            chancesReached = max(chancesReached, chancesBelow)
            while chancesReached < scores.count, scores[chancesReached] <= score { chancesReached += 1 }
            won += Double(chancesBelow) + Double(chancesReached - chancesBelow) / 2
        }
        return won / Double(scores.count * others.count)
    }

    /// The fraction of baseline scores that reach a score, counting the score: (1 + reached) / (1 + all), never 0
    /// (Phipson and Smyth 2010).
    package func pValue(of score: Double) -> Double {
        let reached = scores.reduce(0) { $0 + ($1 >= score ? 1 : 0) }
        return Double(1 + reached) / Double(1 + scores.count)
    }
}
