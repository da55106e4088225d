package import Vocabulary

/// What dividing a feature's contexts into splits depends on, for one context.
package struct SplitCandidate: Hashable, Sendable {
    /// The band the context was drawn for.
    package let band: ContextBand
    /// The context's rank within its band, strongest first.
    package let rank: Int
    /// The document that holds the context.
    package let document: Int64
    /// The stretch of the document that holds the context; contexts of one stretch share tokens.
    package let segment: Int

    /// Identifies a context by its position.
    package init(band: ContextBand, rank: Int, document: Int64, segment: Int) {
        self.band = band
        self.rank = rank
        self.document = document
        self.segment = segment
    }
}

extension ContextSplit {
    /// Divides one feature's contexts into those that explain it and those that score the explanation.
    ///
    /// Within a band the splits alternate by rank, so both have contexts from the top and from every rank quantile of
    /// the sample. Contexts of one (document, segment) share tokens and therefore always share a split: otherwise an
    /// explanation could be scored on text that it was written from. Where that constraint would leave a split without
    /// any context of a band that has at least two segments, segments move until both splits have one; only
    /// three bands of two segments each that form a triangle cannot be served, and then as few bands as possible are
    /// one-sided. The result depends only on the arguments.
    ///
    /// - Parameter candidates: all contexts of one feature, in any order.
    /// - Returns: the split of every candidate, in the order given.
    /// - Complexity: O(n²) for n candidates where segments repeat, O(n log n) where they do not.
    package static func assign(_ candidates: [SplitCandidate]) -> [ContextSplit] {
        var division = SegmentDivision(candidates)
        division.alternate()
        if division.segmentCount < candidates.count { division.improve() }
        return candidates.indices.map { division.split(of: $0) }
    }
}

/// The segments of one feature's contexts while they are given to splits.
private struct SegmentDivision {
    /// The segment of every candidate.
    private let segments: [Int]
    /// For each band, its candidates' segments in rank order.
    private let bands: [[Int]]
    /// The split of every segment, `nil` before `alternate()`.
    private var splits: [ContextSplit?]

    var segmentCount: Int { splits.count }

    init(_ candidates: [SplitCandidate]) {
        struct Place: Hashable {
            let document: Int64
            let segment: Int
        }

        var known: [Place: Int] = [:]
        let segments = candidates.map { candidate in
            let place = Place(document: candidate.document, segment: candidate.segment)
            if let segment = known[place] { return segment }
            known[place] = known.count
            return known.count - 1
        }
        self.segments = segments
        splits = Array(repeating: nil, count: known.count)
        bands = ContextBand.allCases.map { band in
            candidates.indices.filter { candidates[$0].band == band }
                .sorted { (candidates[$0].rank, $0) < (candidates[$1].rank, $1) }
                .map { segments[$0] }
        }
    }

    func split(of candidate: Int) -> ContextSplit {
        guard let split = splits[segments[candidate]] else { preconditionFailure("alternate() comes first") }
        return split
    }

    /// Walks each band by rank and gives every segment not yet placed to the split that is behind in that band.
    mutating func alternate() {
        var whole = 0
        for band in bands {
            // Explain contexts minus score contexts, in this band so far.
            var lead = 0
            for segment in band {
                if splits[segment] == nil {
                    splits[segment] = lead > 0 || (lead == 0 && whole > 0) ? .score : .explain
                }

                let step = splits[segment] == .explain ? 1 : -1
                lead += step
                whole += step
            }
        }
    }

    /// Moves segments, one at a time and in pairs where a band is one-sided, for as long as that improves the cost.
    mutating func improve() {
        var best = cost()
        while true {
            if let better = bestMove(below: best) {
                best = better
            } else if best.oneSided > 0, let better = bestPairOfMoves(below: best) {
                best = better
            } else {
                return
            }
        }
    }

    private mutating func flip(_ segment: Int) {
        splits[segment] = splits[segment]?.opposite
    }

    /// Makes the move that lowers the cost most and returns the new cost; `nil` where none lowers it.
    private mutating func bestMove(below current: Cost) -> Cost? {
        var best: (segment: Int, cost: Cost)?
        for segment in splits.indices {
            flip(segment)
            let cost = cost()
            if cost < best?.cost ?? current { best = (segment, cost) }
            flip(segment)
        }
        guard let best else { return nil }
        flip(best.segment)
        return best.cost
    }

    /// Makes the first pair of moves that lowers the cost and returns the new cost; `nil` where none lowers it.
    private mutating func bestPairOfMoves(below current: Cost) -> Cost? {
        for first in splits.indices {
            flip(first)
            for second in splits.indices.dropFirst(first + 1) {
                flip(second)
                let cost = cost()
                if cost < current { return cost }
                flip(second)
            }
            flip(first)
        }
        return nil
    }

    /// The distance of a division from the ideal; compared by `oneSided` first.
    private struct Cost: Comparable {
        /// The bands, and the whole, that have two segments or more and leave a split empty.
        var oneSided = 0
        /// The squared lead of a split over the other, summed over every prefix of every band and over the whole.
        var imbalance = 0

        static func < (left: Cost, right: Cost) -> Bool {
            (left.oneSided, left.imbalance) < (right.oneSided, right.imbalance)
        }
    }

    private func cost() -> Cost {
        var cost = Cost()
        var whole = 0
        for band in bands {
            var lead = 0
            var varies = false
            for segment in band {
                lead += splits[segment] == .explain ? 1 : -1
                varies = varies || segment != band[0]
                cost.imbalance += lead * lead
            }
            if varies, abs(lead) == band.count { cost.oneSided += 1 }
            whole += lead
        }
        if segmentCount > 1, abs(whole) == segments.count { cost.oneSided += 1 }
        cost.imbalance += whole * whole
        return cost
    }
}
