import CKernels
import Foundation
import LinearAlgebra
import TestSupport
import Testing

@Suite struct TransformerKernelsTests {
    private func random(_ count: Int, seed: UInt64, spread: Float = 3) -> [Float] {
        var generator = CounterGenerator(seed: seed)
        return (0..<count).map { _ in spread * (2 * generator.uniform() - 1) }
    }

    @Test func exponentialIsAccurateOverItsWholeRange() {
        let x = stride(from: Float(-87.3), to: 88.3, by: 1.0 / 4096).map { $0 }
        var result = x
        rsae_exp(x, &result, Int64(x.count))
        var worst = 0.0
        for (value, argument) in zip(result, x) { worst = max(worst, abs(Double(value) / exp(Double(argument)) - 1)) }
        #expect(worst <= 1e-7)
    }

    @Test func exponentialAtTheEnds() {
        let x: [Float] = [0, -1000, -.infinity, 1000, .infinity, .nan]
        var result = x
        rsae_exp(x, &result, 6)
        #expect(result[0] == 1)
        #expect(result[1] > 0 && result[1] < 2e-38 && result[2] == result[1])
        #expect(result[3] > 2e38 && result[3].isFinite && result[4] == result[3])
        #expect(result[5].isNaN)
    }

    @Test(arguments: [1, 15, 16, 31, 48, 100])
    func rootMeanSquareNorm(_ d: Int) {
        let (rows, stride) = (3, d + 5)
        let x = random(rows * stride, seed: 1)
        let weight = random(d, seed: 2)
        var out = [Float](repeating: 0, count: rows * d)
        rsae_rms_norm(x, Int64(stride), Int64(rows), Int64(d), weight, 1e-3, &out, Int64(d))
        let expected = (0..<rows).flatMap { row in
            let values = x[row * stride..<row * stride + d].map(Double.init)
            let scale = 1 / (values.reduce(0) { $0 + $1 * $1 } / Double(d) + 1e-3).squareRoot()
            return (0..<d).map { Float(values[$0] * scale * Double(weight[$0])) }
        }
        expectClose(out, expected, relative: 1e-6, "norm of \(d)")
    }

    @Test(arguments: [1, 16, 40])
    func gatedUnit(_ width: Int) {
        let (rows, stride) = (3, 2 * width + 1)
        let x = random(rows * stride, seed: 3, spread: 20)
        var out = x
        out.withUnsafeMutableBufferPointer { out in
            guard let gates = out.baseAddress else { return }
            rsae_swiglu(gates, Int64(stride), Int64(rows), Int64(width), gates + width)
        }
        var expected = x
        for row in 0..<rows {
            for i in 0..<width {
                let gate = Double(x[row * stride + i])
                expected[row * stride + i] = Float(gate / (1 + exp(-gate)) * Double(x[row * stride + width + i]))
            }
        }
        expectClose(out, expected, relative: 1e-6, "gated unit of \(width)")
    }

    /// Every window over tiles that begin at the sequence's start and later, keys in one block and in several.
    @Test(arguments: [1, 3, 17, 1000], [(0, 1000), (5, 16), (40, 32), (100, 16)])
    func causalSoftmax(_ window: Int, _ tile: (first: Int, block: Int)) {
        let (queries, group, width) = (19, 2, 3)
        let (rows, columns) = (queries * group, tile.first + queries)
        let scores = random(rows * columns, seed: 4, spread: 30)
        let values = random(columns * width, seed: 5, spread: 1)
        // What is there before the first block is not read.
        var largest = [Float](repeating: 7, count: rows)
        var sums = [Float](repeating: .nan, count: rows)
        var mixed = [Float](repeating: .nan, count: rows * width)
        for start in stride(from: 0, to: columns, by: tile.block) {
            let keys = start..<min(start + tile.block, columns)
            let stride = (keys.count + 15) / 16 * 16
            var block = [Float](repeating: 7, count: rows * stride)
            for row in 0..<rows {
                for key in keys { block[row * stride + key - start] = scores[row * columns + key] }
            }
            rsae_causal_softmax(
                &block, Int64(stride), Int64(queries), Int64(group), Int64(keys.count), Int64(tile.first - start),
                Int64(window), start == 0, &largest, &sums, &mixed, Int64(width))
            for row in 0..<rows {
                for column in 0..<width {
                    var sum: Float = start == 0 ? 0 : mixed[row * width + column]
                    for key in keys { sum += block[row * stride + key - start] * values[key * width + column] }
                    mixed[row * width + column] = sum
                }
            }
        }
        var result = [Float](repeating: 0, count: rows * width)
        rsae_divide_heads(
            mixed, Int64(queries), Int64(group), Int64(width), sums, &result, Int64(group * width))
        for row in 0..<rows {
            let last = tile.first + row / group
            let seen = max(0, last - window + 1)...last
            let exponentials = seen.map { exp(Double(scores[row * columns + $0])) }
            let sum = exponentials.reduce(0, +)
            for column in 0..<width {
                let expected = zip(seen, exponentials).reduce(0) { $0 + $1.1 * Double(values[$1.0 * width + column]) }
                #expect(abs(Double(result[row * width + column]) - expected / sum) < 2e-6)
            }
        }
    }

    @Test("A block of keys that a query does not see changes no bit of its sums") func unseenKeysChangeNothing() {
        let seen = random(16, seed: 4, spread: 3)
        func run(_ blocks: [(scores: [Float], first: Int64)]) -> [Float] {
            var (largest, sum): (Float, Float) = (0, 0)
            var mixed: [Float] = [0.75, -2, 3]
            var last: [Float] = []
            for (number, block) in blocks.enumerated() {
                last = block.scores
                rsae_causal_softmax(&last, 16, 1, 1, 16, block.first, 16, number == 0, &largest, &sum, &mixed, 3)
                // The first block's values are added to nothing.
                if number == 0 { mixed = last[0] == 0 ? [0, 0, 0] : [0.75, -2, 3] }
            }
            return [largest, sum] + mixed
        }
        let other = [Float](repeating: 100, count: 16)
        let expected = run([(seen, 15)])
        #expect(run([(other, 31), (seen, 15)]).prefix(2) == expected.prefix(2))
        #expect(run([(seen, 15), (other, -1)]) == expected)
    }

    @Test func softmaxShowsNaN() {
        var scores = [Float](repeating: 1, count: 16)
        scores[2] = .nan
        var (largest, sum, mixed): (Float, Float, Float) = (0, 0, 0)
        rsae_causal_softmax(&scores, 16, 1, 1, 5, 4, 1000, true, &largest, &sum, &mixed, 1)
        #expect(sum.isNaN)
    }

    @Test func firstNonFinite() {
        var x = random(10_000, seed: 6)
        #expect(rsae_first_non_finite(x, Int64(x.count)) == -1)
        x[9_999] = .infinity
        #expect(rsae_first_non_finite(x, Int64(x.count)) == 9_999)
        x[5_000] = .nan
        #expect(rsae_first_non_finite(x, Int64(x.count)) == 5_000)
        #expect(rsae_first_non_finite(x, 5_000) == -1)
        x[0] = -.infinity
        #expect(rsae_first_non_finite(x, Int64(x.count)) == 0)
    }
}
