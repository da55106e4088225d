import Foundation
import LinearAlgebra
import Testing

@Suite struct CounterGeneratorTests {
    /// Words computed apart from this package, in arbitrary-precision integers, from the published constants.
    @Test(arguments: [
        (
            0 as UInt64, "", 0xe220_a839_7b1d_cdaf as UInt64,
            [0xa706_dd2f_4d19_7e6f, 0xb382_a305_f441_4f5e, 0x631a_9154_fbab_f717, 0xa80a_ba8c_8664_0906] as [UInt64]
        ),
        (
            42, "router", 0x8f07_b3b4_947e_3292,
            [0x71a8_ab87_ae40_3f66, 0xb29f_cc97_077b_216b, 0x8090_8302_31eb_28a8, 0x6cac_20e5_095c_26c0]
        ),
        (
            .max, "é", 0xd78d_d8d7_677c_0db1,
            [0x80db_f880_de60_2869, 0xf43e_5724_5b41_c25c, 0x7d72_aa80_73dc_38f2, 0x2ecb_a07b_6478_6c54]
        ),
    ])
    func knownWords(seed: UInt64, stream: String, key: UInt64, words: [UInt64]) {
        var generator = CounterGenerator(seed: seed, stream: stream)
        #expect(generator.key == key)
        #expect((0..<4).map { _ in generator.next() } == words)
        #expect(generator.count == 4)
    }

    @Test func knownNumbers() {
        let start = CounterGenerator(seed: 7, stream: "index")
        var generator = start
        #expect((0..<8).map { _ in generator.index(below: 10) } == [8, 3, 1, 8, 4, 7, 6, 6])
        generator = start
        #expect((0..<8).map { _ in generator.index(below: 1000) } == [815, 321, 196, 898, 425, 794, 681, 623])
        generator = start
        #expect(generator.uniform() == 0.8152861595153809)
        #expect(generator.uniform() == 0.32162249088287354)
    }

    @Test func uniformFillsItsIntervalEvenly() {
        var generator = CounterGenerator(seed: 3)
        let draws = 160_000
        var bins = Array(repeating: 0, count: 16)
        var sum = 0.0
        for _ in 0..<draws {
            let number = generator.uniform()
            #expect(number >= 0 && number < 1)
            bins[Int(number * 16)] += 1
            sum += Double(number)
        }
        // Fifteen degrees of freedom: above 45 with a probability of 8e-5, and the seed is fixed.
        let expected = Double(draws) / 16
        let chiSquared = bins.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        #expect(chiSquared < 45)
        #expect(abs(sum / Double(draws) - 0.5) < 0.003)
    }

    @Test func indexReachesAllAndNoMore() {
        var generator = CounterGenerator(seed: 5)
        for bound in 1...40 {
            var seen = Set<Int>()
            for _ in 0..<bound * 20 { seen.insert(generator.index(below: bound)) }
            #expect(seen == Set(0..<bound))
        }
        for _ in 0..<100 { #expect((0..<Int.max).contains(generator.index(below: .max))) }
    }

    @Test func shuffleIsAPermutation() {
        for count in [0, 1, 2, 3, 10, 257] {
            var elements = Array(0..<count)
            var generator = CounterGenerator(seed: 11)
            generator.shuffle(&elements)
            #expect(elements.sorted() == Array(0..<count))
            if count > 9 { #expect(elements != Array(0..<count)) }
            var again = Array(0..<count)
            var same = CounterGenerator(seed: 11)
            same.shuffle(&again)
            #expect(again == elements)
        }
    }

    @Test func shuffleReachesEveryOrderEvenly() {
        var generator = CounterGenerator(seed: 13)
        var orders: [[Int]: Int] = [:]
        for _ in 0..<24_000 {
            var elements = [0, 1, 2, 3]
            generator.shuffle(&elements)
            orders[elements, default: 0] += 1
        }
        #expect(orders.count == 24)
        #expect(orders.values.allSatisfy { abs($0 - 1000) < 150 })
    }

    @Test func streamsOfOneSeedDiffer() {
        let names = ["", "a", "b", "ab", "ba", "router", "encoder", "shards"]
        #expect(Set(names.map { CounterGenerator(seed: 1, stream: $0).key }).count == names.count)
        #expect(CounterGenerator(seed: 1, stream: "a") != CounterGenerator(seed: 2, stream: "a"))
    }

    @Test func continuesWhereItWasSaved() throws {
        var generator = CounterGenerator(seed: 9, stream: "saved")
        for _ in 0..<5 { _ = generator.next() }
        let saved = try JSONEncoder().encode(generator)
        var restored = try JSONDecoder().decode(CounterGenerator.self, from: saved)
        #expect(restored == generator)
        #expect((0..<10).map { _ in restored.next() } == (0..<10).map { _ in generator.next() })
    }
}
