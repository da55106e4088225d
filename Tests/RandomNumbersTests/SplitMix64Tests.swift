import RandomNumbers
import Testing

@Suite struct SplitMix64Tests {
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

    @Test func theFinaliserMixesTheCounter() {
        let counters = (1...5).map { 1_234_567 &+ UInt64($0) &* 0x9E37_79B9_7F4A_7C15 }
        var generator = SplitMix64(seed: 1_234_567)
        #expect(counters.map(SplitMix64.mixed) == (0..<5).map { _ in generator.next() })
        #expect(SplitMix64.mixed(0) == 0)
    }
}
