import FeatureScoring
import Testing

struct SeededPermutationTests {
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

    @Test("Every derangement of four is equally likely") func everyDerangementOfFourIsAsLikely() throws {
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
