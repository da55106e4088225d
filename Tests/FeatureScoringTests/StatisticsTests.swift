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

    @Test(arguments: [0, 1, -1, 0x1p-24, 0x1p-25, 0x1.8p-24, -0x1.8p-24, 1e-9, 12345.678, -0.1, 0x1p26] as [Double])
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
        // Documents' keys are nothing like their numbers.
        func key(_ firing: Firing<Int>) -> UInt64 {
            SplitMix64.hash(seed: 9, UInt64(bitPattern: firing.document), 0, 0)
        }
        func empty() -> PrioritySample<Int> { PrioritySample(capacity: capacity, seed: 5, featureIndex: 3) }
        var (forward, backward, left, right) = (empty(), empty(), empty(), empty())
        for firing in stream { forward.offer(firing, key: key(firing)) }
        for firing in stream.reversed() {
            if backward.accepts(key: key(firing), position: firing.position) {
                backward.offer(firing, key: key(firing))
            }
        }
        for firing in stream.prefix(120) { left.offer(firing, key: key(firing)) }
        for firing in stream.dropFirst(80) { right.offer(firing, key: key(firing)) }
        left.merge(right)
        let wanted = stream.sorted {
            forward.priority(key: key($0), position: $0.position)
                < forward.priority(key: key($1), position: $1.position)
        }.prefix(capacity).map(\.payload)
        for sample in [forward, backward, left] { #expect(sample.byPriority.map(\.payload) == wanted) }
        #expect(forward.byActivation.map(\.activation) == forward.byActivation.map(\.activation).sorted(by: >))
        #expect(forward.byActivation.count == min(capacity, 200))
    }

    @Test func aDocumentsPlaceInTheCorpusMakesNoDifference() {
        let keys: [UInt64] = [77, .max, 3, 1 << 40]
        /// Places sampled, where the documents have come in some order.
        func sampled(_ order: [Int]) -> Set<[UInt64]> {
            var sample = PrioritySample<UInt64>(capacity: 12, seed: 5, featureIndex: 3)
            for (number, document) in order.enumerated() {
                for position in 0..<Int32(20) {
                    let key = keys[document]
                    sample.offer(
                        Firing(document: Int64(number), position: position, activation: 1, payload: key), key: key)
                }
            }
            return Set(sample.byPriority.map { [$0.payload, UInt64($0.position)] })
        }
        let first = sampled([0, 1, 2, 3])
        #expect(first.count == 12)
        #expect(sampled([3, 1, 0, 2]) == first)
        // And another document brings other places.
        #expect(sampled([0, 1, 2]) != first)
    }

    @Test func everyFiringIsAsLikelyToBeSampled() {
        var counts = Array(repeating: 0, count: 20)
        for feature in 0..<4000 {
            var sample = PrioritySample<Int>(capacity: 5, seed: 77, featureIndex: feature)
            for index in 0..<20 {
                sample.offer(
                    Firing(document: 4, position: Int32(index), activation: Float(index), payload: index), key: 4)
            }
            for firing in sample.byPriority { counts[firing.payload] += 1 }
        }
        // Six standard deviations of a binomial with n = 4000, p = 1/4.
        for count in counts { #expect(abs(count - 1000) < 165) }
    }
}
