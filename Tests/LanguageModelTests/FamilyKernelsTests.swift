import CKernels
import Foundation
import LinearAlgebra
import TestSupport
import Testing

/// The kernels that families other than Llama need, against loops in double.
@Suite struct FamilyKernelsTests {
    private func random(_ count: Int, seed: UInt64, spread: Float = 3) -> [Float] {
        var generator = CounterGenerator(seed: seed)
        return (0..<count).map { _ in spread * (2 * generator.uniform() - 1) }
    }

    @Test("Layer normalisation, with and without weight and bias", arguments: [1, 15, 16, 31, 48, 100])
    func layerNorm(_ d: Int) {
        let (rows, stride) = (3, d + 5)
        let x = random(rows * stride, seed: 1)
        let (weight, bias) = (random(d, seed: 2), random(d, seed: 3))
        for (hasWeight, hasBias) in [(true, true), (true, false), (false, false)] {
            var out = [Float](repeating: 0, count: rows * d)
            weight.withUnsafeBufferPointer { weight in
                bias.withUnsafeBufferPointer { bias in
                    rsae_layer_norm(
                        x, Int64(stride), Int64(rows), Int64(d), hasWeight ? weight.baseAddress : nil,
                        hasBias ? bias.baseAddress : nil, 1e-3, &out, Int64(d))
                }
            }
            let expected = (0..<rows).flatMap { row in
                let values = x[row * stride..<row * stride + d].map(Double.init)
                let mean = values.reduce(0, +) / Double(d)
                let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(d)
                return (0..<d).map { place in
                    let normed = (values[place] - mean) / (variance + 1e-3).squareRoot()
                    return Float(
                        normed * (hasWeight ? Double(weight[place]) : 1) + (hasBias ? Double(bias[place]) : 0))
                }
            }
            expectClose(out, expected, relative: 2e-6, "layer norm of \(d)")
        }
    }

    /// Each function over its whole range, in units of the larger of its value and of the last place of its argument.
    @Test("Activations are accurate everywhere", arguments: [RSAE_SILU, RSAE_GELU, RSAE_GELU_TANH, RSAE_RELU])
    func activations(_ activation: Int) {
        let x = stride(from: Float(-20), to: 20, by: 1.0 / 1024).map { $0 }
        var out = x
        rsae_activate(&out, Int64(x.count), 1, Int64(x.count), Int32(activation))
        for (argument, value) in zip(x, out) {
            let exact = Double(argument)
            let expected =
                switch activation {
                case RSAE_SILU: exact / (1 + exp(-exact))
                case RSAE_GELU: 0.5 * exact * erfc(-exact / 2.0.squareRoot())
                case RSAE_GELU_TANH:
                    0.5 * exact * (1 + tanh((2 / Double.pi).squareRoot() * (exact + 0.044715 * exact * exact * exact)))
                default: max(exact, 0)
                }
            #expect(abs(Double(value) - expected) <= 4e-7 * max(abs(expected), 0.25), "\(argument)")
        }
    }

    @Test("Activations of far arguments vanish or stay", arguments: [RSAE_SILU, RSAE_GELU, RSAE_GELU_TANH, RSAE_RELU])
    func farArguments(_ activation: Int) {
        var values: [Float] = [-1000, -88, 0, 88, 1000, .nan]
        rsae_activate(&values, 6, 1, 6, Int32(activation))
        #expect(abs(values[0]) < 1e-30 && abs(values[1]) < 1e-30 && values[2] == 0)
        #expect(values[3] == 88 && values[4] == 1000)
        #expect(activation == RSAE_RELU || values[5].isNaN)
    }

    @Test("Soft caps are accurate, near zero in relative terms", arguments: [Float(0.5), 30, 50])
    func softCap(_ cap: Float) {
        let x = stride(from: Float(-6), to: 6, by: 1.0 / 512).map { $0 * cap } + [1e-6, -1e-6, 1e-20, 1e9, -1e9, 3]
        var out = x
        rsae_soft_cap(&out, Int64(x.count), 1, Int64(x.count), cap)
        for (argument, value) in zip(x, out) {
            let expected = Double(cap) * tanh(Double(argument) / Double(cap))
            #expect(abs(Double(value) - expected) <= 4e-7 * abs(expected), "\(argument)")
        }
    }

    @Test("Only the first part of each head is turned", arguments: [(8, 4), (40, 10), (80, 32), (64, 64), (6, 0)])
    func partialRotation(_ dimension: Int, _ rotated: Int) {
        let (rows, heads) = (4, 3)
        let x = random(rows * heads * dimension, seed: 5)
        let (cosine, sine) = (random(5 * rotated, seed: 6, spread: 1), random(5 * rotated, seed: 7, spread: 1))
        let places: [Int32] = [3, 0, 9, 1]
        var out = x
        rsae_rotate(
            &out, Int64(heads * dimension), Int64(rows), Int64(heads), Int64(dimension), Int64(rotated), nil, 0, places,
            cosine, sine)
        var expected = x
        let half = rotated / 2
        for head in 0..<rows * heads {
            for pair in 0..<half {
                let (a, b) = (x[head * dimension + pair], x[head * dimension + pair + half])
                let place = Int(places[head / heads]) * half + pair
                expected[head * dimension + pair] = a * cosine[place] - b * sine[place]
                expected[head * dimension + pair + half] = b * cosine[place] + a * sine[place]
            }
        }
        expectClose(out, expected, relative: 1e-6, "\(rotated) of \(dimension)")
    }

    @Test("Rows are added and multiplied in place, and nothing beside them", arguments: [1, 16, 19])
    func rowsOfTwoMatrices(_ width: Int) {
        let (rows, stride) = (3, width + 2)
        let (a, b) = (random(rows * stride, seed: 8), random(rows * stride, seed: 9))
        var (sum, product) = (a, a)
        rsae_add_scaled_rows(&sum, Int64(stride), Int64(rows), Int64(width), b, Int64(stride), 0.25)
        rsae_multiply_rows(&product, Int64(stride), Int64(rows), Int64(width), b, Int64(stride))
        for place in a.indices {
            let isInside = place % stride < width
            #expect(abs(sum[place] - (isInside ? a[place] + 0.25 * b[place] : a[place])) <= 1e-6)
            #expect(product[place] == (isInside ? a[place] * b[place] : a[place]))
        }
    }
}
