import FeatureScoring
import Indexing
import LinearAlgebra
import RandomNumbers
import Testing

@Suite struct CofiringCountsTests {
    /// The algorithm as its authors give it, over a list of counters.
    private struct NaiveSketch {
        var counters: [(index: Int, count: Int, inherited: Int)] = []
        let capacity: Int
        let feature: Int
        var firings = 0

        mutating func record(_ token: [Int32], key: UInt64) {
            firings += 1
            for index in token where index != Int32(feature) { offer(Int(index), key: key) }
        }

        private func draw(_ index: Int, key: UInt64) -> UInt64 {
            var word = SplitMix64.mixed(key ^ UInt64(feature)) &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15
            for _ in 0..<2 { word = (word ^ (word >> 32)) &* 0xD6E8_FEB8_6659_FD93 }
            return word >> 32
        }

        private mutating func offer(_ index: Int, key: UInt64) {
            if let held = counters.firstIndex(where: { $0.index == index }) {
                counters[held].count += 1
            } else if counters.count < capacity {
                counters.append((index, 1, 0))
            } else {
                let least = counters.indices.min { (counters[$0].count, $0) < (counters[$1].count, $1) } ?? 0
                let count = counters[least].count
                guard draw(index, key: key) * UInt64(count + 1) < 1 << 32 else { return }
                counters[least] = (index, count + 1, count)
            }
        }

        var sketch: CofiringSketch {
            CofiringSketch(
                capacity: capacity,
                counters: counters.map { .init(featureIndex: $0.index, count: $0.count, inherited: $0.inherited) },
                sampledFirings: firings)
        }
    }

    /// Sets of latents, rising, with common and rare ones; feature 0 fires on every token.
    private func tokens(_ count: Int, latents: Int, k: Int, seed: UInt64) -> [[Int32]] {
        var generator = CounterGenerator(seed: seed, stream: "cofiring")
        return (0..<count).map { _ in
            var set: Set<Int32> = [0]
            while set.count < k {
                let place = generator.uniform()
                set.insert(Int32(Float(latents) * place * place * place))
            }
            return set.sorted()
        }
    }

    @Test("The kernel equals the published algorithm", arguments: [16, 32, 48, 128], [(40, 9), (300, 24), (5000, 64)])
    func theKernelIsTheAlgorithm(counters: Int, size: (latents: Int, k: Int)) {
        let tokens = tokens(400, latents: size.latents, k: size.k, seed: 1)
        let counts = CofiringCounts(features: size.latents, counters: counters)
        var naive = (0..<8).map { NaiveSketch(capacity: counters, feature: $0) }
        for (place, token) in tokens.enumerated() {
            let key = SplitMix64.mixed(UInt64(place))
            for feature in token where feature < 8 {
                counts.record(feature: Int(feature), key: key, indices: token, count: token.count)
                naive[Int(feature)].record(token, key: key)
            }
        }
        for feature in 0..<8 { #expect(counts.sketch(of: feature) == naive[feature].sketch) }
        #expect(naive[0].firings == 400)
        #expect(counts.sketch(of: 39).sampledFirings == 0 && counts.sketch(of: 39).counters.isEmpty)
    }

    /// With a counter for every latent, counts are exact.
    @Test("With a counter for every latent, counts are exact") func fewOthersAreCountedExactly() {
        let tokens = tokens(300, latents: 17, k: 6, seed: 2)
        let counts = CofiringCounts(features: 17, counters: 16)
        var exact = Array(repeating: 0, count: 17)
        for (place, token) in tokens.enumerated() {
            counts.record(feature: 0, key: UInt64(place), indices: token, count: token.count)
            for other in token { exact[Int(other)] += 1 }
        }

        let companions = counts.sketch(of: 0).companions(100)
        #expect(companions.map(\.count) == companions.map { exact[$0.featureIndex] })
        #expect(companions.count == exact[1...].filter { $0 > 0 }.count)
        let falling = (1..<17).sorted { (exact[$0], $1) > (exact[$1], $0) }
        #expect(companions.prefix(5).map(\.featureIndex) == Array(falling.prefix(5)))
        #expect(companions.first?.share == Double(exact[falling[0]]) / 300)
    }

    /// Guarantees hold with many more latents than counters.
    @Test("Guaranteed counts are lower bounds", arguments: [32, 256])
    func guaranteedCountsAreNoneTooHigh(counters: Int) {
        let tokens = tokens(2000, latents: 4000, k: 32, seed: 3)
        let counts = CofiringCounts(features: 1, counters: counters)
        var exact: [Int: Int] = [:]
        for (place, token) in tokens.enumerated() {
            counts.record(feature: 0, key: UInt64(place), indices: token, count: token.count)
            for other in token where other != 0 { exact[Int(other), default: 0] += 1 }
        }

        let sketch = counts.sketch(of: 0)
        #expect(sketch.counters.count == counters)
        for counter in sketch.counters {
            #expect(counter.guaranteed >= 1 && counter.guaranteed <= exact[counter.featureIndex] ?? 0)
        }
        #expect(sketch.companions().count == 10)
        #expect(sketch.companions().allSatisfy { $0.share > 0 && $0.share <= 1 })
    }

    /// Companions are found among many others that come only once or twice each, which would clear the plain
    /// space-saving sketch at every token.
    @Test("Companions are found among many rare latents") func companionsAreFoundAmongManyOthers() {
        var generator = CounterGenerator(seed: 8)
        let counts = CofiringCounts(features: 1)
        let shares: [Int32: Float] = [100: 0.9, 2000: 0.6, 9000: 0.4, 12_345: 0.25]
        for place in 0..<2000 {
            var set: Set<Int32> = [0]
            for (index, share) in shares.sorted(by: { $0.key < $1.key }) where generator.uniform() < share {
                set.insert(index)
            }
            while set.count < 64 { set.insert(Int32(generator.index(below: 16_384))) }
            counts.record(feature: 0, key: UInt64(place), indices: set.sorted(), count: 64)
        }

        let companions = counts.sketch(of: 0).companions(4)
        #expect(companions.map(\.featureIndex) == [100, 2000, 9000, 12_345])
        for companion in companions {
            #expect(abs(Float(companion.share) - (shares[Int32(companion.featureIndex)] ?? 0)) < 0.06)
        }
    }

    @Test("Latents that do not fire are skipped") func latentsThatDoNotFireArePassedOver() {
        let counts = CofiringCounts(features: 10)
        counts.record(feature: 3, key: 7, indices: [1, 3, 5, 9], activations: [2, 1, 0, -0.5], count: 4)
        counts.record(feature: 3, key: 7, indices: [3], activations: [1], count: 1)
        counts.record(feature: 3, key: 7, indices: [1, 3], activations: nil, count: 2)
        counts.record(feature: 3, key: 7, indices: [1], count: 0)
        let sketch = counts.sketch(of: 3)
        #expect(sketch.sampledFirings == 4)
        #expect(
            sketch.counters == [
                .init(featureIndex: 1, count: 2, inherited: 0), .init(featureIndex: 9, count: 1, inherited: 0),
            ])
        #expect(sketch.companions().map(\.share) == [0.5, 0.25])
        #expect(sketch.companions(1).map(\.featureIndex) == [1])
    }

    /// Dividing features among workers gives the same as processing them in order.
    @Test func bitsDoNotDependOnTheThreads() {
        let tokens = tokens(500, latents: 600, k: 30, seed: 4)
        func count(threads: Int) -> [CofiringSketch] {
            let counts = CofiringCounts(features: 600, counters: 32)
            Workers(threads: threads).forEach(600, tile: 32) { features, _ in
                for feature in features {
                    for (place, token) in tokens.enumerated() where token.contains(Int32(feature)) {
                        counts.record(feature: feature, key: UInt64(place), indices: token, count: token.count)
                    }
                }
            }
            return (0..<600).map { counts.sketch(of: $0) }
        }

        let one = count(threads: 1)
        for threads in [2, 3] { #expect(count(threads: threads) == one) }
    }

    @Test("A quarter of the tokens is sampled") func aQuarterOfTheTokensIsSampled() {
        let keys = (0..<40_000).map { SplitMix64.mixed(UInt64($0)) }
        let sampled = keys.filter(CofiringCounts.isSampled)
        // Five standard deviations of a binomial draw.
        #expect(abs(sampled.count - 10_000) < 433)
        #expect(sampled == keys.filter(CofiringCounts.isSampled))
        // The low bits of the key, from which others draw, say nothing about it.
        for bit in 0..<8 {
            let ones = sampled.filter { $0 >> UInt64(bit) & 1 == 1 }.count
            #expect(abs(ones - sampled.count / 2) < 250)
        }
        // Neighbouring keys are drawn apart from each other.
        #expect(abs((0..<40_000).filter { CofiringCounts.isSampled(key: $0) }.count - 10_000) < 433)
    }

    @Test("Merged guarantees stay lower bounds") func whatMergedSketchesGuaranteeStaysSo() {
        let (first, second) = (tokens(700, latents: 900, k: 20, seed: 5), tokens(300, latents: 900, k: 20, seed: 6))
        func sketch(_ tokens: [[Int32]], counters: Int) -> CofiringSketch {
            let counts = CofiringCounts(features: 1, counters: counters)
            for (place, token) in tokens.enumerated() {
                counts.record(feature: 0, key: UInt64(place), indices: token, count: token.count)
            }
            return counts.sketch(of: 0)
        }

        var exact: [Int: Int] = [:]
        for token in first + second { for other in token { exact[Int(other), default: 0] += 1 } }
        let (a, b) = (sketch(first, counters: 32), sketch(second, counters: 48))
        let merged = a.merged(with: b)
        #expect(merged == b.merged(with: a))
        #expect(merged.counters.count == 48 && merged.sampledFirings == 1000)
        #expect(merged.counters.allSatisfy { $0.guaranteed <= exact[$0.featureIndex] ?? 0 })
        let empty = CofiringSketch(capacity: 32, counters: [], sampledFirings: 0)
        #expect(a.merged(with: empty) == a)
    }

    /// Two sketches with free counters merge to the counts of one pass.
    @Test func smallSketchesMergeExactly() {
        let a = CofiringSketch(
            capacity: 16,
            counters: [.init(featureIndex: 4, count: 3, inherited: 0), .init(featureIndex: 2, count: 3, inherited: 1)],
            sampledFirings: 5)
        let b = CofiringSketch(
            capacity: 16,
            counters: [.init(featureIndex: 2, count: 1, inherited: 0), .init(featureIndex: 7, count: 3, inherited: 0)],
            sampledFirings: 4)
        let merged = a.merged(with: b)
        #expect(
            merged.counters == [
                .init(featureIndex: 2, count: 4, inherited: 1), .init(featureIndex: 4, count: 3, inherited: 0),
                .init(featureIndex: 7, count: 3, inherited: 0),
            ])
        #expect(merged.companions().map(\.featureIndex) == [2, 4, 7])
        #expect(merged.sampledFirings == 9)
        // The least of what does not fit goes, of equal ones the higher number.
        let full = CofiringSketch(
            capacity: 2,
            counters: [
                .init(featureIndex: 1, count: 9, inherited: 0), .init(featureIndex: 2, count: 5, inherited: 4),
            ], sampledFirings: 9)
        let other = CofiringSketch(
            capacity: 2, counters: [.init(featureIndex: 3, count: 5, inherited: 0)], sampledFirings: 6)
        #expect(full.merged(with: other).counters.map(\.featureIndex) == [1, 2])
    }
}
