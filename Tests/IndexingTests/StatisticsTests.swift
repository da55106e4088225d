import FeatureScoring
import Indexing
import RandomNumbers
import Testing

struct ActivationMomentsTests {
    @Test func momentsAgreeWithTwoPasses() throws {
        var generator = SplitMix64(seed: 41)
        let values = (0..<1000).map { _ in Float(generator.next(below: 10_000)) / 64 + 0.5 }
        var (whole, left, right) = (ActivationMoments(), ActivationMoments(), ActivationMoments())
        for (index, value) in values.enumerated() {
            whole.record(value)
            if index < 300 { left.record(value) } else { right.record(value) }
        }
        left.merge(right)
        let mean = values.reduce(0.0) { $0 + Double($1) } / 1000
        let variance = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / 1000
        for moments in [whole, left] {
            #expect(moments.count == 1000)
            #expect(abs(try #require(moments.mean) - mean) < 1e-9)
            #expect(abs(try #require(moments.standardDeviation) - variance.squareRoot()) < 1e-9)
            #expect(moments.maximum == values.max())
            #expect(moments.minimum == values.min())
        }
        #expect(whole.firingRate(tokenCount: 4000) == 0.25)
    }

    @Test func sumsOfPartsAddUpExactly() {
        var generator = SplitMix64(seed: 43)
        let values = (0..<3000).map { _ in Float(generator.next(below: 1 << 24)) / Float(1 << 20) + 1e-7 }
        var whole = ActivationMoments()
        for value in values { whole.record(value) }
        // However the stream is cut and in whatever order its parts come.
        for parts in [2, 3, 7, 100] {
            var merged = ActivationMoments()
            for part in (0..<parts).reversed() {
                var own = ActivationMoments()
                for index in stride(from: part, to: values.count, by: parts) { own.record(values[index]) }
                merged.merge(own)
            }
            #expect(merged.sum == whole.sum && merged.sumOfSquares == whole.sumOfSquares)
        }
        #expect(whole.sum == values.reduce(0.0) { $0 + (Double($1) * 0x1p24).rounded(.toNearestOrEven) / 0x1p24 })
        let plain = values.reduce(0.0) { $0 + Double($1) }
        #expect(abs(whole.sum - plain) <= 3000 * 0x1p-25)
    }

    @Test(
        "The grid consists of multiples of 2⁻²⁴",
        arguments: [0, 1, -1, 0x1p-24, 0x1p-25, 0x1.8p-24, -0x1.8p-24, 1e-9, 12345.678, -0.1, 0x1p26] as [Double])
    func theGridIsOfMultiplesOfTwoToMinus24(value: Double) {
        #expect(ActivationMoments.onGrid(value) == (value * 0x1p24).rounded(.toNearestOrEven) / 0x1p24)
    }

    @Test func withoutFiringsThereIsNoMean() {
        let empty = ActivationMoments()
        #expect(empty.mean == nil && empty.standardDeviation == nil && empty.firingRate(tokenCount: 0) == nil)
        var constant = ActivationMoments()
        for _ in 0..<7 { constant.record(0.1) }
        #expect((constant.standardDeviation ?? 1) < 1e-8)
    }
}

struct FiringHistogramTests {
    @Test("There are four bin edges per octave") func edgesAreFourToAnOctave() {
        let edges = FiringHistogram.edges
        #expect(edges.count == 81)
        #expect(edges.first == 0x1p-10)
        #expect(edges.last == 0x1p10)
        #expect(edges[42] == 1.4142135)
        for (one, next) in zip(edges, edges.dropFirst()) { #expect(abs(next / one - 1.189207) < 1e-6) }
    }

    @Test("Every value falls in the bin given by its edges") func everyValueIsInTheBinItsEdgesSay() {
        let edges = FiringHistogram.edges
        for (index, edge) in edges.enumerated() {
            #expect(FiringHistogram.bin(of: edge) == index + 1)
            #expect(FiringHistogram.bin(of: edge.nextDown) == index)
        }
        for (value, bin) in [
            (0, 0), (-1, 0), (-.infinity, 0), (.nan, 0), (.leastNonzeroMagnitude, 0), (1, 41), (.infinity, 81),
            (.greatestFiniteMagnitude, 81),
        ] as [(Float, Int)] {
            #expect(FiringHistogram.bin(of: value) == bin)
        }
    }

    @Test func quantilesAreWithinABinOfTheTruth() throws {
        var generator = SplitMix64(seed: 42)
        var histogram = FiringHistogram()
        let values = (0..<5000).map { _ -> Float in
            let share = Float(generator.next(below: 1_000_000)) / 1_000_000
            return 0.2 + 30 * share * share
        }.sorted()
        for value in values { histogram.record(value) }
        #expect(histogram.total == 5000)
        for share in [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99] {
            let found = try #require(histogram.quantile(share, minimum: values[0], maximum: values[4999]))
            let truth = values[Int(share * 4999)]
            #expect(found / truth < 1.2 && truth / found < 1.2, "\(share): \(found), \(truth)")
        }
        #expect(histogram.quantile(0, minimum: values[0], maximum: values[4999]) == values[0])
        #expect(histogram.quantile(1, minimum: values[0], maximum: values[4999]) == values[4999])
    }

    @Test func theOpenBinsReachToTheRange() throws {
        var histogram = FiringHistogram()
        #expect(histogram.quantile(0.5, minimum: 0, maximum: 0) == nil)
        histogram.record(-4)
        #expect(histogram.quantile(0.5, minimum: -4, maximum: -4) == -4)
        histogram.record(5000)
        #expect(histogram.quantile(1, minimum: -4, maximum: 5000) == 5000)
        #expect(try #require(histogram.quantile(0.2, minimum: -4, maximum: 5000)) < 0.001)
    }

    @Test("Histograms merge, and counts are restored") func partsMergeAndCountsAreRestored() throws {
        var (left, right) = (FiringHistogram(), FiringHistogram())
        left.record(1)
        right.record(1)
        right.record(100)
        left.merge(right)
        #expect(left.counts[41] == 2 && left.total == 3)
        #expect(try #require(FiringHistogram(counts: left.counts)).counts == left.counts)
        #expect(FiringHistogram(counts: [1]) == nil)
        #expect(FiringHistogram(counts: Array(repeating: .max, count: 82)) == nil)
    }
}

struct BoundedListTests {
    /// A position in a text of its own.
    private func place(_ document: Int, _ position: Int) -> FiringPlace {
        FiringPlace(
            window: SplitMix64.hash(seed: 1, UInt64(document), UInt64(position), 0), passage: UInt64(document),
            documentKey: UInt64(document), document: Int64(document), position: Int32(position))
    }

    private func firings(_ count: Int, seed: UInt64) -> [Firing<Int>] {
        var generator = SplitMix64(seed: seed)
        return (0..<count).map { index in
            Firing(
                place: place(index / 7, index % 7), activation: Float(generator.next(below: 20)), payload: index)
        }
    }

    /// Few texts in many positions: `window` of each is one of 12, `passage` one of 6, and each brings its two firings,
    /// which follow from window and passage.
    private func repeatedFirings(_ count: Int, seed: UInt64) -> [Firing<Int>] {
        var generator = SplitMix64(seed: seed)
        return (0..<count / 2).flatMap { document in
            let (window, passage) = (generator.next(below: 12), generator.next(below: 6))
            return (0..<2).map { firing in
                Firing(
                    place: FiringPlace(
                        window: SplitMix64.mixed(UInt64(window + 1)), passage: UInt64(passage),
                        documentKey: UInt64(document), document: Int64(document),
                        position: Int32(2 * window + firing)),
                    activation: Float(
                        SplitMix64.hash(seed: seed, UInt64(window), UInt64(passage), UInt64(firing)) % 9),
                    payload: 2 * document + firing)
            }
        }
    }

    @Test("The strongest are kept, whatever the order", arguments: [0, 1, 2, 7, 50, 500])
    func theStrongestAreKeptInAnyOrder(capacity: Int) {
        for seed in 0..<20 {
            let stream = firings(200, seed: UInt64(seed))
            let wanted = stream.sorted { $0.isStronger(than: $1) }.prefix(capacity)
            let order = SeededPermutation.permutation(count: 200, seed: UInt64(seed))
            var (forward, shuffled, left, right) = (
                TopFirings<Int>(capacity: capacity), TopFirings<Int>(capacity: capacity),
                TopFirings<Int>(capacity: capacity), TopFirings<Int>(capacity: capacity)
            )
            for (index, firing) in stream.enumerated() {
                forward.offer(firing)
                shuffled.offer(stream[order[index]])
                if index < 120 { left.offer(firing) }
                // The parts overlap: what comes twice counts once.
                if index >= 80 { right.offer(firing) }
            }
            left.merge(right)
            for list in [forward, shuffled, left] { #expect(list.sorted.map(\.payload) == wanted.map(\.payload)) }
        }
    }

    @Test("The threshold is the activation needed to be kept") func theThresholdIsWhatMustBeReached() {
        var list = TopFirings<Void>(capacity: 2)
        #expect(list.threshold == -.infinity)
        list.offer(Firing(place: place(1, 1), activation: .nan))
        #expect(list.count == 0)
        list.offer(Firing(place: place(1, 1), activation: 3))
        list.offer(Firing(place: place(1, 2), activation: 5))
        #expect(list.threshold == 3)
        list.offer(Firing(place: place(0, 9), activation: 3))
        #expect(list.sorted.map(\.place.document) == [1, 0])
        #expect(TopFirings<Void>(capacity: 0).threshold == .infinity)
    }

    @Test("Of the strongest with one window the first is kept", arguments: [1, 2, 5, 12, 20])
    func ofTheStrongestWithOneWindowTheFirstIsKept(capacity: Int) {
        for seed in 0..<40 {
            let stream = repeatedFirings(150, seed: UInt64(seed))
            let best = Dictionary(grouping: stream, by: \.place.window).values.compactMap { group in
                group.min { $0.isStronger(than: $1) }
            }

            let wanted = best.sorted { $0.isStronger(than: $1) }.prefix(capacity).map(\.payload)
            for cut in [0, 40, 149] {
                let order = SeededPermutation.permutation(count: 150, seed: UInt64(seed + cut))
                var (left, right) = (TopFirings<Int>(capacity: capacity), TopFirings<Int>(capacity: capacity))
                for (number, index) in order.enumerated() {
                    if number < cut { left.offer(stream[index]) } else { right.offer(stream[index]) }
                }
                left.merge(right)
                #expect(left.sorted.map(\.payload) == wanted, "seed \(seed), cut \(cut)")
            }
        }
    }

    /// A rejected firing would have changed nothing, and an accepted one changes the list.
    @Test func theStrongestTakeWhatChangesThem() {
        var (passed, taken) = (0, 0)
        for seed in 0..<40 {
            var list = TopFirings<Int>(capacity: 6)
            for firing in repeatedFirings(150, seed: UInt64(seed)) where firing.activation >= list.threshold {
                let before = list.sorted.map(\.payload)
                let takes = list.takes(firing.place, activation: firing.activation)
                list.offer(firing)
                let isChanged = list.sorted.map(\.payload) != before
                // Where nothing has its window, the weakest may still rank before one that is as strong.
                #expect(takes || !isChanged, "seed \(seed)")
                if takes, firing.activation > list.threshold { #expect(isChanged, "seed \(seed)") }
                if isChanged { taken += 1 } else if !takes { passed += 1 }
            }
        }
        #expect(passed > 100 && taken > 100)
    }

    @Test("Merging parts of a repeated text equals the whole", arguments: [(2, 3), (4, 4), (0, 2), (3, 0), (12, 12)])
    func partsOfARepeatedTextCombineIntoTheWhole(top: Int, sampled: Int) {
        /// The firings kept: the strongest, and a sample of the others.
        func kept(_ firings: [Firing<Int>]) -> (top: [Firing<Int>], sample: [Firing<Int>]) {
            var strongest = TopFirings<Int>(capacity: top)
            var sample = PrioritySample<Int>(capacity: top + sampled, seed: 4, featureIndex: 2)
            for firing in firings {
                strongest.offer(firing)
                sample.offer(firing)
            }

            let best = strongest.sorted
            return (best, sample.byPriority(most: sampled, without: best))
        }
        for seed in 0..<60 {
            let stream = repeatedFirings(120, seed: UInt64(seed))
            let whole = kept(stream)
            let order = SeededPermutation.permutation(count: 120, seed: UInt64(seed))
            let shuffled = kept(order.map { stream[$0] })
            #expect(shuffled.top.map(\.payload) == whole.top.map(\.payload))
            #expect(shuffled.sample.map(\.payload) == whole.sample.map(\.payload))
            // Only what is kept of the parts goes into the whole.
            let parts = [stream[..<30], stream[30..<76], stream[76...]].map { kept(Array($0)) }
            let combined = kept(parts.flatMap { $0.top + $0.sample })
            #expect(combined.top.map(\.payload) == whole.top.map(\.payload), "seed \(seed)")
            #expect(combined.sample.map(\.payload) == whole.sample.map(\.payload), "seed \(seed)")
            #expect(Set(whole.top.map(\.place.window)).count == whole.top.count)
            #expect(Set(whole.sample.map(\.place.window)).count == whole.sample.count)
            let shown = Set(whole.top.map { [$0.place.window, $0.place.passage] })
            #expect(whole.sample.allSatisfy { !shown.contains([$0.place.window, $0.place.passage]) })
        }
    }

    /// A rejected firing would have changed nothing, and an accepted one changes something.
    @Test("A sample takes a firing exactly when it would change the sample") func aSampleTakesWhatChangesIt() {
        var (passed, taken) = (0, 0)
        for seed in 0..<40 {
            var (all, chosen) = (
                PrioritySample<Int>(capacity: 6, seed: 4, featureIndex: 2),
                PrioritySample<Int>(capacity: 6, seed: 4, featureIndex: 2)
            )
            let stream = repeatedFirings(300, seed: UInt64(seed))
            let order = SeededPermutation.permutation(count: stream.count, seed: UInt64(seed))
            for firing in order.map({ stream[$0] }) {
                all.offer(firing)
                if chosen.accepts(window: firing.place.window),
                    chosen.takes(firing.place, activation: firing.activation)
                {
                    chosen.offer(firing)
                    taken += 1
                } else {
                    passed += 1
                }
            }
            #expect(chosen.byPriority.map(\.payload) == all.byPriority.map(\.payload))
            // What is left out shows the second best of each window.
            let shown = all.byPriority.prefix(3)
            #expect(
                chosen.byPriority(most: 3, without: Array(shown)).map(\.payload)
                    == all.byPriority(most: 3, without: Array(shown)).map(\.payload))
        }
        #expect(passed > taken)
    }

    @Test(arguments: [0, 1, 10, 300])
    func samplesDoNotDependOnOrderOrParts(capacity: Int) {
        let stream = firings(200, seed: 1)
        func empty() -> PrioritySample<Int> { PrioritySample(capacity: capacity, seed: 5, featureIndex: 3) }
        var (forward, backward, left, right) = (empty(), empty(), empty(), empty())
        for firing in stream { forward.offer(firing) }
        for firing in stream.reversed() where backward.accepts(window: firing.place.window) {
            backward.offer(firing)
        }
        for firing in stream.prefix(120) { left.offer(firing) }
        for firing in stream.dropFirst(80) { right.offer(firing) }
        left.merge(right)
        let wanted = stream.sorted {
            forward.priority(window: $0.place.window) < forward.priority(window: $1.place.window)
        }.prefix(capacity).map(\.payload)
        for sample in [forward, backward, left] { #expect(sample.byPriority.map(\.payload) == wanted) }
        #expect(forward.byPriority(most: min(capacity, 200), without: []).map(\.payload) == wanted)
    }

    @Test func aTextThatComesOftenIsAsLikelyToBeSampledAsOneThatComesOnce() {
        var counts = Array(repeating: 0, count: 20)
        for feature in 0..<4000 {
            var sample = PrioritySample<Int>(capacity: 5, seed: 77, featureIndex: feature)
            for index in 0..<20 {
                // The last one comes forty times, in other documents.
                for copy in 0..<(index == 19 ? 40 : 1) {
                    sample.offer(
                        Firing(
                            place: FiringPlace(
                                window: SplitMix64.mixed(UInt64(index)), passage: UInt64(index + 100 * copy),
                                documentKey: UInt64(copy), document: Int64(copy), position: 7),
                            activation: Float(index), payload: index))
                }
            }
            for firing in sample.byPriority { counts[firing.payload] += 1 }
        }
        // Six standard deviations of a binomial with n = 4000, p = 1/4.
        for count in counts { #expect(abs(count - 1000) < 165) }
    }

    @Test("Firings with the same window or passage form one group") func placesWithTheSameWindowOrPassageAreOneGroup() {
        func place(_ window: UInt64, _ passage: UInt64, _ document: Int64 = 0) -> FiringPlace {
            FiringPlace(window: window, passage: passage, documentKey: 0, document: document, position: 0)
        }
        #expect(FiringPlace.textGroups([]) == [])
        #expect(FiringPlace.textGroups([place(1, 1), place(2, 2), place(1, 1, 5)]) == [0, 1, 0])
        // The third connects the first, by its window, with the second, by its passage.
        #expect(FiringPlace.textGroups([place(1, 1), place(2, 2), place(1, 2), place(3, 3)]) == [0, 0, 0, 1])
        #expect(FiringPlace.textKey([1, 2]) != FiringPlace.textKey([2, 1]))
        #expect(FiringPlace.textKey([0]) != FiringPlace.textKey([0, 0]))
        #expect(FiringPlace.textKey([]) != FiringPlace.textKey([0]))
    }
}
