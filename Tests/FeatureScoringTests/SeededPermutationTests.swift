import FeatureScoring
import Testing

struct SeededPermutationTests {
    @Test func theGeneratorIsSplitMix64() {
        // The published test values for seed 1234567.
        var generator = SplitMix64(seed: 1_234_567)
        let first = (0..<5).map { _ in generator.next() }
        #expect(
            first == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    @Test func boundedNumbersAreUniform() {
        var generator = SplitMix64(seed: 2)
        var counts = Array(repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[generator.next(below: 7)] += 1 }
        // Six standard deviations of a binomial with n = 70000, p = 1/7.
        for count in counts { #expect(abs(count - 10_000) < 556) }
        #expect((0..<10).allSatisfy { _ in generator.next(below: 1) == 0 })
    }

    @Test(arguments: [0, 1, 2, 3, 10, 1000])
    func permutationsHoldEveryElement(count: Int) {
        for seed in 0..<20 {
            let order = SeededPermutation.permutation(count: count, seed: UInt64(seed))
            #expect(order.sorted() == Array(0..<count))
        }
    }

    @Test(arguments: [0, 2, 3, 10, 1000])
    func derangementsMoveEveryElement(count: Int) throws {
        for seed in 0..<50 {
            let order = try #require(SeededPermutation.derangement(count: count, seed: UInt64(seed)))
            #expect(order.sorted() == Array(0..<count))
            #expect(order.indices.allSatisfy { order[$0] != $0 })
        }
        #expect(SeededPermutation.derangement(count: 1, seed: 0) == nil)
    }

    @Test func everyDerangementOfFourIsAsLikely() throws {
        var counts: [[Int]: Int] = [:]
        for seed in 0..<9000 {
            counts[try #require(SeededPermutation.derangement(count: 4, seed: UInt64(seed))), default: 0] += 1
        }
        #expect(counts.count == 9)
        // Six standard deviations of a binomial with n = 9000, p = 1/9.
        for count in counts.values { #expect(abs(count - 1000) < 179) }
    }

    @Test func theSeedDecides() {
        let one = SeededPermutation.permutation(count: 50, seed: 1)
        #expect(one == SeededPermutation.permutation(count: 50, seed: 1))
        #expect(one != SeededPermutation.permutation(count: 50, seed: 2))
        // Computed by an implementation of its own, in Python.
        #expect(SeededPermutation.permutation(count: 8, seed: 42) == [4, 3, 2, 0, 7, 6, 1, 5])
    }
}
