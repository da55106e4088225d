import CKernels
import Testing

@Suite struct TopKKernelTests {
    /// Runs the kernel in buffers of exactly the documented size, with a sign behind each that it must not touch.
    private func topK(
        _ values: [Float], _ bias: [Float], k: Int, guess: Float = -.infinity
    ) -> (index: [Int], value: [Float], least: Float) {
        let m = values.count
        let sign: Float = 12_345.5
        var index = Array(repeating: Int32(-77), count: k + 1)
        var activation = Array(repeating: sign, count: k + 1)
        var scratch = Array(repeating: sign, count: 3 * (m + 16) + 1)
        let least = rsae_top_k(values, bias, Int64(m), Int64(k), guess, &index, &activation, &scratch)
        #expect(index[k] == -77 && activation[k] == sign && scratch[3 * (m + 16)] == sign)
        return (index.dropLast().map { Int($0) }, Array(activation.dropLast()), least)
    }

    /// Compares with a sort by falling value, then rising index; no guess, good or bad, changes the result.
    private func compare(_ values: [Float], _ bias: [Float], k: Int) {
        let sums = zip(values, bias).map { $0 + $1 }
        let falling = sums.indices.sorted { (sums[$0], -$0) > (sums[$1], -$1) }
        let best = falling.prefix(k).sorted()
        let least = sums[falling[k - 1]]
        for guess in [-.infinity, least, least.nextUp, least - 0.5, sums[falling[0]], sums[falling[sums.count - 1]]] {
            let actual = topK(values, bias, k: k, guess: guess)
            if actual.index != best || actual.value != best.map({ sums[$0] }) || actual.least != least {
                Issue.record(
                    "m = \(values.count), k = \(k), guess \(guess): \(actual.index), expected \(best) of \(sums)")
            }
        }
    }

    @Test func everySmallSize() {
        var random = RandomValues(1)
        for m in 1...40 {
            let zeros = Array(repeating: Float(0), count: m)
            let patterns: [[Float]] = [
                random.array(m),
                (0..<m).map { _ in Float(random.index(below: 3)) },
                zeros,
                (0..<m).map { Float($0) },
                (0..<m).map { Float(-$0) },
                (0..<m).map { $0 % 2 == 0 ? 0 : -0.0 },
                (0..<m).map { _ in [-.infinity, -1, 1, .infinity][random.index(below: 4)] },
            ]
            let bias = random.array(m).map { ($0 * 4).rounded() / 4 }
            for k in 1...m {
                for pattern in patterns {
                    compare(pattern, zeros, k: k)
                    compare(pattern, bias, k: k)
                }
            }
        }
    }

    @Test(arguments: [255, 256, 257, 271, 272, 511, 512, 513, 1000, 4096, 5003]) func larger(m: Int) {
        var random = RandomValues(m)
        let zeros = Array(repeating: Float(0), count: m)
        for k in [1, 2, 15, 16, 17, 64, m / 2, m - 1, m] {
            compare(random.array(m), random.array(m), k: k)
            // Ties: few values, all equal, and one value above a sea of equals.
            compare((0..<m).map { _ in Float(random.index(below: 4)) }, zeros, k: k)
            compare(zeros, zeros, k: k)
            var spike = zeros
            spike[random.index(below: m)] = 1
            compare(spike, zeros, k: k)
            compare((0..<m).map { Float($0 % 97) }, zeros, k: k)
        }
    }

    @Test func notANumberShowsInEveryResult() {
        var random = RandomValues(2)
        for m in Array(1...40) + [300, 512] {
            for place in Set([0, m / 2, m - 1, m / 16 * 16 % m, random.index(below: m)]) {
                var values = random.array(m)
                values[place] = .nan
                let zeros = Array(repeating: Float(0), count: m)
                for (v, b) in [(values, zeros), (zeros, values)] {
                    for k in Set([1, (m + 1) / 2, m]) {
                        let result = topK(v, b, k: k, guess: random.index(below: 2) == 0 ? 0.2 : -.infinity)
                        #expect(result.index == Array(repeating: 0, count: k))
                        #expect(result.value.allSatisfy { $0.isNaN }, "m = \(m), k = \(k), place \(place)")
                    }
                }
            }
        }
    }

    @Test func oppositeInfinitiesAreNotANumber() {
        let result = topK([1, .infinity, 2], [0, -.infinity, 0], k: 2)
        #expect(result.value.allSatisfy { $0.isNaN })
    }
}
