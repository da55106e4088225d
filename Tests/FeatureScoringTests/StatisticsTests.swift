import FeatureScoring
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

    @Test func withoutFiringsThereIsNoMean() {
        let empty = ActivationMoments()
        #expect(empty.mean == nil && empty.standardDeviation == nil && empty.firingRate(tokenCount: 0) == nil)
        var constant = ActivationMoments()
        for _ in 0..<7 { constant.record(0.1) }
        #expect((constant.standardDeviation ?? 1) < 1e-8)
    }
}

struct FiringHistogramTests {
    @Test func edgesAreFourToAnOctave() {
        let edges = FiringHistogram.edges
        #expect(edges.count == 81)
        #expect(edges.first == 0x1p-10)
        #expect(edges.last == 0x1p10)
        #expect(edges[42] == 1.4142135)
        for (one, next) in zip(edges, edges.dropFirst()) { #expect(abs(next / one - 1.189207) < 1e-6) }
    }

    @Test func everyValueIsInTheBinItsEdgesSay() {
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

    @Test func partsMergeAndCountsAreRestored() throws {
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
    private func firings(_ count: Int, seed: UInt64) -> [Firing<Int>] {
        var generator = SplitMix64(seed: seed)
        return (0..<count).map { index in
            Firing(
                document: Int64(index / 7), position: Int32(index % 7), activation: Float(generator.next(below: 20)),
                payload: index)
        }
    }

    @Test(arguments: [0, 1, 2, 7, 50, 500])
    func theStrongestAreKeptInAnyOrder(capacity: Int) {
        for seed in 0..<20 {
            let stream = firings(200, seed: UInt64(seed))
            let wanted = stream.sorted { ($0.activation, $1.payload) > ($1.activation, $0.payload) }.prefix(capacity)
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

    @Test func theThresholdIsWhatMustBeReached() {
        var list = TopFirings<Void>(capacity: 2)
        #expect(list.threshold == -.infinity)
        list.offer(Firing(document: 1, position: 1, activation: .nan))
        #expect(list.count == 0)
        list.offer(Firing(document: 1, position: 1, activation: 3))
        list.offer(Firing(document: 1, position: 2, activation: 5))
        #expect(list.threshold == 3)
        list.offer(Firing(document: 0, position: 9, activation: 3))
        #expect(list.sorted.map(\.document) == [1, 0])
        #expect(TopFirings<Void>(capacity: 0).threshold == .infinity)
    }

    @Test(arguments: [0, 1, 10, 300])
    func samplesDoNotDependOnOrderOrParts(capacity: Int) {
        let stream = firings(200, seed: 1)
        func empty() -> PrioritySample<Int> { PrioritySample(capacity: capacity, seed: 5, featureIndex: 3) }
        var (forward, backward, left, right) = (empty(), empty(), empty(), empty())
        for firing in stream { forward.offer(firing) }
        for firing in stream.reversed() {
            if backward.accepts(document: firing.document, position: firing.position) { backward.offer(firing) }
        }
        for firing in stream.prefix(120) { left.offer(firing) }
        for firing in stream.dropFirst(80) { right.offer(firing) }
        left.merge(right)
        let wanted = stream.sorted {
            forward.priority(document: $0.document, position: $0.position)
                < forward.priority(document: $1.document, position: $1.position)
        }.prefix(capacity).map(\.payload)
        for sample in [forward, backward, left] { #expect(sample.byPriority.map(\.payload) == wanted) }
        #expect(forward.byActivation.map(\.activation) == forward.byActivation.map(\.activation).sorted(by: >))
        #expect(forward.byActivation.count == min(capacity, 200))
    }

    @Test func everyFiringIsAsLikelyToBeSampled() {
        var counts = Array(repeating: 0, count: 20)
        for feature in 0..<4000 {
            var sample = PrioritySample<Int>(capacity: 5, seed: 77, featureIndex: feature)
            for index in 0..<20 {
                sample.offer(
                    Firing(document: 4, position: Int32(index), activation: Float(index), payload: index))
            }
            for firing in sample.byPriority { counts[firing.payload] += 1 }
        }
        // Six standard deviations of a binomial with n = 4000, p = 1/4.
        for count in counts { #expect(abs(count - 1000) < 165) }
    }
}
