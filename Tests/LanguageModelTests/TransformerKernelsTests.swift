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
        rsae_swiglu(&out, Int64(stride), Int64(rows), Int64(width))
        var expected = x
        for row in 0..<rows {
            for i in 0..<width {
                let gate = Double(x[row * stride + i])
                expected[row * stride + i] = Float(gate / (1 + exp(-gate)) * Double(x[row * stride + width + i]))
            }
        }
        expectClose(out, expected, relative: 1e-6, "gated unit of \(width)")
    }

    /// Every window over tiles that begin at the sequence's start and later.
    @Test(arguments: [1, 3, 17, 1000], [0, 5, 40])
    func causalSoftmax(_ window: Int, _ first: Int) {
        let (queries, group) = (19, 2)
        let columns = first + queries
        let stride = (columns + 15) / 16 * 16
        let scores = random(queries * group * stride, seed: 4, spread: 30)
        var result = scores
        var inverse = [Float](repeating: 0, count: queries * group)
        rsae_causal_softmax(
            &result, Int64(stride), Int64(queries), Int64(group), Int64(columns), Int64(first), Int64(window), &inverse)
        for row in 0..<queries * group {
            let last = first + row / group
            let seen = max(0, last - window + 1)...last
            let exponentials = seen.map { exp(Double(scores[row * stride + $0])) }
            let sum = exponentials.reduce(0, +)
            for column in 0..<columns {
                let actual = Double(result[row * stride + column] * inverse[row])
                if seen.contains(column) {
                    #expect(abs(actual - exponentials[column - seen.lowerBound] / sum) < 1e-6)
                } else {
                    #expect(actual == 0)
                }
            }
        }
    }

    @Test func softmaxShowsNaN() {
        var scores = [Float](repeating: 1, count: 16)
        scores[2] = .nan
        var inverse: Float = 0
        rsae_causal_softmax(&scores, 16, 1, 1, 5, 4, 1000, &inverse)
        #expect(inverse.isNaN)
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
