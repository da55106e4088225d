/// What scores are worth by chance: the same contexts scored with another feature's explanation.
package struct ChanceBaseline: Hashable, Sendable {
    /// The defined scores under wrong explanations, ascending.
    package let scores: [Double]
    /// How many scores under wrong explanations were undefined.
    package let undefinedCount: Int

    /// Collects the scores under wrong explanations, `nil` for undefined ones.
    ///
    /// - Precondition: no score is NaN.
    package init(scores: [Double?]) {
        let defined = scores.compactMap { $0 }
        precondition(defined.allSatisfy { !$0.isNaN }, "an undefined score is nil, not NaN")
        self.scores = defined.sorted()
        undefinedCount = scores.count - defined.count
    }

    /// Which feature's explanation each feature is scored with: everyone gets one, no one its own.
    ///
    /// - Returns: for each place in the list of features, the place of the explanation; `nil` for a single feature,
    ///   for which there is no chance to compare with.
    package static func donors(featureCount: Int, seed: UInt64) -> [Int]? {
        SeededPermutation.derangement(count: featureCount, seed: seed)
    }

    /// The score below which a share of the chance scores lie, interpolated linearly between neighbours (type 7 of
    /// Hyndman and Fan 1996, the default of NumPy and R).
    ///
    /// - Parameter share: 0…1; 0.95 is the limit a feature must exceed to be called better than chance.
    /// - Returns: `nil` if no chance score is defined.
    package func percentile(_ share: Double = 0.95) -> Double? {
        precondition(share >= 0 && share <= 1, "a share is within 0…1")
        guard let last = scores.indices.last else { return nil }
        let place = share * Double(last)
        let below = Int(place)
        guard below < last else { return scores[last] }
        return scores[below] + (place - Double(below)) * (scores[below + 1] - scores[below])
    }

    /// Whether a score exceeds the 95th percentile of chance; `nil` if either is undefined.
    package func isExceeded(by score: Double?) -> Bool? {
        guard let score, let limit = percentile() else { return nil }
        return score > limit
    }

    /// The chance that a score drawn from some exceeds a score drawn from chance, equals counting half: the area under
    /// the ROC curve (Mann and Whitney 1947). 1 tells them apart for certain, 0.5 not at all.
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

    /// The share of chance scores that reach a score, counting the score itself: (1 + reached) / (1 + all), never 0
    /// (Phipson and Smyth 2010).
    package func pValue(of score: Double) -> Double {
        let reached = scores.reduce(0) { $0 + ($1 >= score ? 1 : 0) }
        return Double(1 + reached) / Double(1 + scores.count)
    }
}
