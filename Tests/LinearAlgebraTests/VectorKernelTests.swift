import CKernels
import TestSupport
import Testing

@Suite struct VectorKernelTests {
    /// Every width up to past one and two blocks, and some large ones.
    static let widths = Array(1...70) + [95, 127, 128, 129, 192, 255, 1000, 2048]

    @Test func dot() {
        for d in [0] + Self.widths {
            var random = RandomValues(d)
            let (a, b) = (random.array(d), random.array(d))
            let expected = zip(a, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            let scale = zip(a, b).reduce(0.0) { $0 + abs(Double($1.0) * Double($1.1)) }
            #expect(abs(Double(rsae_dot(a, b, Int64(d))) - expected) <= 1e-6 * scale, "d = \(d)")
        }
    }

    @Test func addScaled() {
        for d in [0] + Self.widths {
            var random = RandomValues(d)
            let (x, y) = (random.array(d), random.array(d) + [7])
            var actual = y
            rsae_add_scaled(&actual, -1.75, x, Int64(d))
            expectClose(actual, zip(y, x + [0]).map { Float(Double($0) - 1.75 * Double($1)) }, relative: 1e-6, "\(d)")
        }
    }

    @Test func allFiniteFindsEveryPlace() {
        #expect(rsae_all_finite([], 0) == 1)
        for n in Array(1...70) + [1000] {
            var values = Array(repeating: Float.greatestFiniteMagnitude, count: n)
            #expect(rsae_all_finite(values, Int64(n)) == 1)
            for place in 0..<n {
                for bad in [Float.nan, .infinity, -.infinity] {
                    values[place] = bad
                    #expect(rsae_all_finite(values, Int64(n)) == 0)
                }
                values[place] = -.leastNonzeroMagnitude
            }
            #expect(rsae_all_finite(values, Int64(n)) == 1)
        }
    }

    @Test func standardise() {
        for d in Self.widths where d > 1 {
            for (scale, offset, epsilon): (Float, Float, Float) in [
                (1, 0, 1e-6), (0.01, 0, 1e-6), (30, 5, 1e-5), (1, 100, 1e-6), (0.01, 0, 1e-3),
            ] {
                var random = RandomValues(d)
                let x = random.array(d).map { $0 * scale + offset }
                let mean = x.reduce(0.0) { $0 + Double($1) } / Double(d)
                let squares = x.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
                let deviation = (squares / Double(d - 1)).squareRoot()
                let expected = x.map { Float((Double($0) - mean) / (deviation + Double(epsilon))) }
                // Round-off of the mean counts relative to the deviation.
                let tolerance = 2e-6 * (1 + offset / scale)
                var out = Array(repeating: Float(0), count: d)
                var (mu, sigma): (Float, Float) = (0, 0)
                rsae_standardise(x, Int64(d), epsilon, &out, &mu, &sigma)
                expectClose(out, expected, relative: tolerance, "d = \(d)")
                expectClose([mu], [Float(mean)], relative: 1e-6, absolute: 1e-6 * scale, "mean, d = \(d)")
                expectClose([sigma], [Float(deviation)], relative: tolerance, "deviation, d = \(d)")
                var inPlace = x
                inPlace.withUnsafeMutableBufferPointer { buffer in
                    rsae_standardise(buffer.baseAddress, Int64(d), epsilon, buffer.baseAddress, &mu, &sigma)
                }
                #expect(inPlace == out)
            }
        }
    }

    @Test func theLargestOfEachGroup() {
        for (m, k) in [(8, 1), (8, 2), (12, 3), (40, 8), (5, 5)] {
            var random = RandomValues(m + k)
            let (values, bias) = (random.array(m), random.array(m))
            var index = Array(repeating: Int32(-1), count: k)
            var activation = Array(repeating: Float(0), count: k)
            rsae_group_max(values, bias, Int64(m), Int64(k), &index, &activation)
            for group in 0..<k {
                let run = (group * (m / k))..<((group + 1) * (m / k))
                let sums = run.map { values[$0] + bias[$0] }
                let best = run.lowerBound + (sums.firstIndex(of: sums.max() ?? 0) ?? 0)
                #expect(index[group] == Int32(best) && activation[group] == values[best] + bias[best])
            }
        }
    }

    @Test func ofEqualsInAGroupTheFirstIsKeptAndANaNStays() {
        var index: [Int32] = [9, 9]
        var activation: [Float] = [0, 0]
        rsae_group_max([1, 3, 3, 2, .nan, 7], [0, 0, 0, 0, 0, 0], 6, 2, &index, &activation)
        #expect(index == [1, 4] && activation[0] == 3 && activation[1].isNaN)
    }

    @Test func aConstantStandardisesToZero() {
        var out: [Float] = [1, 1, 1]
        var (mean, deviation): (Float, Float) = (1, 1)
        rsae_standardise([4, 4, 4], 3, 1e-6, &out, &mean, &deviation)
        #expect(out == [0, 0, 0] && mean == 4 && deviation == 0)
    }

    @Test func gatherRowDotsAndDecodeError() {
        for d in Self.widths where d < 300 {
            for k in [0, 1, 2, 3, 4, 5, 7, 8, 9] {
                var random = RandomValues(100 * d + k)
                let rowCount = 13
                let rows = random.array(rowCount * d)
                let index = (0..<k).map { _ in Int32(random.index(below: rowCount)) }
                let weight = random.array(k)
                let centered = random.array(d)
                var sum = Array(repeating: 0.0, count: d)
                for (i, w) in zip(index, weight) {
                    for c in 0..<d { sum[c] += Double(w) * Double(rows[Int(i) * d + c]) }
                }

                var out = Array(repeating: Float.nan, count: d) + [5]
                rsae_gather(rows, Int64(d), index, weight, Int64(k), &out)
                expectClose(out, sum.map { Float($0) } + [5], relative: 1e-6, "gather d = \(d), k = \(k)")

                let error = zip(sum, centered).map { $0 - Double($1) }
                out = Array(repeating: .nan, count: d) + [5]
                let squares = rsae_decode_error(rows, Int64(d), index, weight, Int64(k), centered, &out)
                expectClose(out, error.map { Float($0) } + [5], relative: 1e-6, "decode d = \(d), k = \(k)")
                expectClose([squares], [Float(error.reduce(0) { $0 + $1 * $1 })], relative: 2e-6, "‖e‖²")

                var dots = Array(repeating: Float.nan, count: k) + [5]
                rsae_row_dots(rows, Int64(d), index, Int64(k), centered, &dots)
                let expected = index.map { i in
                    Float((0..<d).reduce(0.0) { $0 + Double(rows[Int(i) * d + $1]) * Double(centered[$1]) })
                }
                expectClose(dots, expected + [5], relative: 1e-6, "dots d = \(d), k = \(k)")
            }
        }
    }

    @Test func columnSums() {
        for width in [1, 2, 15, 16, 17, 64, 100] {
            for count in [0, 1, 2, 9] {
                let stride = width + 5
                var random = RandomValues(width)
                let rows = random.array(count * stride + 1)
                var sum = Array(repeating: Float.nan, count: width) + [3]
                var squares = sum
                rsae_column_sums(rows, Int64(count), Int64(stride), Int64(width), &sum, &squares)
                func total(_ term: (Double) -> Double) -> [Float] {
                    (0..<width).map { c in
                        Float((0..<count).reduce(0.0) { $0 + term(Double(rows[$1 * stride + c])) })
                    } + [3]
                }
                expectClose(sum, total { $0 }, relative: 1e-6, "sum of [\(count) × \(width)]")
                expectClose(squares, total { $0 * $0 }, relative: 1e-6, "squares of [\(count) × \(width)]")
            }
        }
    }

    @Test("Rows of bf16 decode to the bits of the same rows in f32")
    func rowsOfBF16() {
        for d in [1, 15, 16, 40, 128, 130, 192, 511, 512, 700, 1024] {
            var random = RandomValues(d)
            let rows = random.array(30 * d)
            var bits = Array(repeating: UInt16(0), count: rows.count)
            rsae_round_to_bf16(rows, Int64(rows.count), &bits)
            let widened = bits.map { Float(bitPattern: UInt32($0) << 16) }
            let centered = random.array(d)
            for k in [0, 1, 3, 4, 8, 11, 16] {
                let index = (0..<k).map { _ in Int32(random.index(below: 30)) }
                let weight = random.array(k)
                var (found, expected) = (Array(repeating: Float.nan, count: d), Array(repeating: Float.nan, count: d))
                let square = rsae_decode_error_bf16(bits, Int64(d), index, weight, Int64(k), centered, &found)
                let other = rsae_decode_error(widened, Int64(d), index, weight, Int64(k), centered, &expected)
                #expect(found.map(\.bitPattern) == expected.map(\.bitPattern) && square == other, "d \(d), k \(k)")

                var (dots, expectedDots) = (
                    Array(repeating: Float.nan, count: k), Array(repeating: Float.nan, count: k)
                )
                rsae_row_dots_bf16(bits, Int64(d), index, Int64(k), centered, &dots)
                rsae_row_dots(widened, Int64(d), index, Int64(k), centered, &expectedDots)
                expectClose(dots, expectedDots, relative: 1e-5, absolute: 1e-5, "d \(d), k \(k)")
            }
        }
    }
}
