import FeatureScoring
import RandomNumbers
import Testing
import Vocabulary

struct ContextSplitTests {
    /// All ways to put `count` contexts into bands and segments, the segments numbered by first use.
    private func states(_ count: Int) -> [[SplitCandidate]] {
        var states: [[(band: Int, segment: Int)]] = [[]]
        for _ in 0..<count {
            states = states.flatMap { state -> [[(band: Int, segment: Int)]] in
                let fresh = (state.map(\.segment).max() ?? -1) + 1
                return (0..<3).flatMap { band in (0...fresh).map { state + [(band, $0)] } }
            }
        }
        return states.map { state in
            state.enumerated().map { rank, place in
                SplitCandidate(
                    band: ContextBand.allCases[place.band], rank: rank, document: Int64(place.segment / 2),
                    segment: place.segment % 2)
            }
        }
    }

    /// The bands that have two segments or more and leave a split empty.
    private func oneSidedBands(_ candidates: [SplitCandidate], _ splits: [ContextSplit]) -> Int {
        ContextBand.allCases.reduce(0) { count, band in
            let members = candidates.indices.filter { candidates[$0].band == band }
            let places = Set(members.map { [candidates[$0].document, Int64(candidates[$0].segment)] })
            return count + (places.count > 1 && Set(members.map { splits[$0] }).count == 1 ? 1 : 0)
        }
    }

    /// The fewest one-sided bands that any division into splits has.
    private func fewestOneSidedBands(_ candidates: [SplitCandidate]) -> Int {
        let places = Array(Set(candidates.map { [$0.document, Int64($0.segment)] }))
        return (0..<(1 << places.count)).map { mask in
            oneSidedBands(
                candidates,
                candidates.map { candidate in
                    let place = places.firstIndex(of: [candidate.document, Int64(candidate.segment)]) ?? 0
                    return mask >> place & 1 == 0 ? .explain : .score
                })
        }.min() ?? 0
    }

    @Test("Every small set of contexts is divided optimally", arguments: 0...5)
    func everySmallStateIsDividedAsWellAsCanBe(count: Int) {
        for candidates in states(count) {
            let splits = ContextSplit.assign(candidates)
            #expect(splits.count == count)
            for (one, other) in zip(candidates.indices, candidates.indices).flatMap({ pair in
                candidates.indices.map { (pair.0, $0) }
            })
            where candidates[one].document == candidates[other].document
                && candidates[one].segment == candidates[other].segment
            {
                #expect(splits[one] == splits[other], "\(candidates)")
            }
            #expect(oneSidedBands(candidates, splits) == fewestOneSidedBands(candidates), "\(candidates) \(splits)")
            let segments = Set(candidates.map { [$0.document, Int64($0.segment)] })
            if segments.count > 1 { #expect(Set(splits).count == 2, "\(candidates) \(splits)") }
        }
    }

    @Test("Contexts that share no segment alternate by rank in every band")
    func aloneInTheirSegmentsTheyAlternateByRankInEveryBand() {
        var generator = SplitMix64(seed: 4)
        for _ in 0..<200 {
            var candidates: [SplitCandidate] = []
            for band in ContextBand.allCases {
                for rank in 0..<generator.next(below: 12) {
                    candidates.append(
                        SplitCandidate(band: band, rank: rank, document: Int64(candidates.count), segment: 0))
                }
            }

            let order = SeededPermutation.permutation(count: candidates.count, seed: generator.next())
            let shuffled = order.map { candidates[$0] }
            let splits = ContextSplit.assign(shuffled)
            for band in ContextBand.allCases {
                let byRank = shuffled.indices.filter { shuffled[$0].band == band }
                    .sorted { shuffled[$0].rank < shuffled[$1].rank }.map { splits[$0] }
                for (one, next) in zip(byRank, byRank.dropFirst()) { #expect(one != next) }
            }

            let explain = splits.count { $0 == .explain }
            #expect(abs(2 * explain - splits.count) <= 1)
        }
    }

    @Test func sharedSegmentsStayTogetherInLargeFeaturesToo() {
        var generator = SplitMix64(seed: 5)
        for _ in 0..<50 {
            let candidates = (0..<60).map { index in
                SplitCandidate(
                    band: ContextBand.allCases[index / 20], rank: index % 20,
                    document: Int64(generator.next(below: 12)), segment: generator.next(below: 3))
            }

            let splits = ContextSplit.assign(candidates)
            var known: [[Int64]: ContextSplit] = [:]
            for (candidate, split) in zip(candidates, splits) {
                let place = [candidate.document, Int64(candidate.segment)]
                #expect(known[place, default: split] == split)
                known[place] = split
            }
            for band in 0..<3 {
                let explain = splits[band * 20..<band * 20 + 20].count { $0 == .explain }
                #expect((7...13).contains(explain), "\(explain) of 20")
            }
            #expect(splits == ContextSplit.assign(candidates))
        }
    }

    @Test("Larger sets of contexts are divided optimally") func largerStatesAreDividedAsWellAsCanBe() {
        // From six contexts on some states need two segments to change sides at once.
        var generator = SplitMix64(seed: 99)
        for _ in 0..<20_000 {
            let documents = 2 + generator.next(below: 6)
            let candidates = (0..<6 + generator.next(below: 5)).map { rank in
                SplitCandidate(
                    band: ContextBand.allCases[generator.next(below: 3)], rank: rank,
                    document: Int64(generator.next(below: documents)), segment: 0)
            }

            let oneSided = oneSidedBands(candidates, ContextSplit.assign(candidates))
            #expect(oneSided == 0 || oneSided == fewestOneSidedBands(candidates), "\(candidates)")
        }
    }

    @Test func bandsThatShareNoWayOutLeaveOnlyOneOneSided() {
        // Segments a, b, c; each band has two of them, and two of three are always on one side.
        let pairs = [[0, 1], [1, 2], [0, 2]]
        let candidates = zip(ContextBand.allCases, pairs).flatMap { band, segments in
            segments.enumerated().map { SplitCandidate(band: band, rank: $0, document: 1, segment: $1) }
        }
        #expect(oneSidedBands(candidates, ContextSplit.assign(candidates)) == 1)
    }
}
