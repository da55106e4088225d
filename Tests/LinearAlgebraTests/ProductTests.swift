import LinearAlgebra
import TestSupport
import Testing

@Suite struct ProductTests {
    /// One product's shape, transposes and factors.
    struct Case {
        var rows: Int
        var columns: Int
        var inner: Int
        var transposeA = false
        var transposeB = false
        var padding = 0
        var alpha: Float = 1
        var accumulating = false
    }

    /// Multiplies by `LinearAlgebra` and by loops in double precision, and compares the whole buffer of C, its padding
    /// included.
    private func compare(_ c: Case, seed: Int) {
        var random = RandomValues(seed)
        let aRows = c.transposeA ? c.inner : c.rows
        let aColumns = c.transposeA ? c.rows : c.inner
        let bRows = c.transposeB ? c.columns : c.inner
        let bColumns = c.transposeB ? c.inner : c.columns
        let strideA = aColumns + c.padding
        let strideB = bColumns + 2 * c.padding
        let strideC = c.columns + 3 * c.padding
        let a = random.array(aRows * strideA + 1)
        let b = random.array(bRows * strideB + 1)
        // Where nothing is added to C, what it held must not matter, not even a NaN.
        let before: [Float] =
            c.accumulating
            ? random.array(c.rows * strideC + 1) : Array(repeating: .nan, count: c.rows * strideC + 1)
        var expected = before.map { Double($0) }
        for row in 0..<c.rows {
            for column in 0..<c.columns {
                var sum = 0.0
                for i in 0..<c.inner {
                    let left = c.transposeA ? a[i * strideA + row] : a[row * strideA + i]
                    let right = c.transposeB ? b[column * strideB + i] : b[i * strideB + column]
                    sum += Double(left) * Double(right)
                }

                let place = row * strideC + column
                expected[place] = Double(c.alpha) * sum + (c.accumulating ? expected[place] : 0)
            }
        }

        var actual = before
        multiply(
            rows: c.rows, columns: c.columns, inner: c.inner, alpha: c.alpha, a, stride: strideA,
            transposeA: c.transposeA, b, stride: strideB, transposeB: c.transposeB, accumulating: c.accumulating,
            into: &actual, stride: strideC)
        for place in actual.indices {
            let isPadding = place >= c.rows * strideC || place % max(strideC, 1) >= c.columns
            if isPadding {
                #expect(actual[place].bitPattern == before[place].bitPattern, "padding of C was written: \(c)")
            }
            if isPadding || c.rows == 0 || c.columns == 0 { expected[place] = Double(actual[place]) }
        }

        let kept = actual.indices.filter { !actual[$0].isNaN || !expected[$0].isNaN }
        expectClose(kept.map { actual[$0] }, kept.map { Float(expected[$0]) }, relative: 2e-6, "\(c)")
    }

    @Test func everySmallShapeAndTranspose() {
        let sides = [0, 1, 2, 3, 7, 16, 33]
        var seed = 0
        for rows in sides {
            for columns in sides {
                for inner in sides {
                    for transposes in 0..<4 {
                        seed += 1
                        compare(
                            Case(
                                rows: rows, columns: columns, inner: inner, transposeA: transposes & 1 == 1,
                                transposeB: transposes & 2 == 2, padding: seed % 3),
                            seed: seed)
                    }
                }
            }
        }
    }

    @Test func factorsOfProductAndOfTheFormerResult() {
        for transposes in 0..<4 {
            for (alpha, accumulating): (Float, Bool) in [(1, true), (0.5, false), (-1, true), (0, true)] {
                compare(
                    Case(
                        rows: 19, columns: 23, inner: 31, transposeA: transposes & 1 == 1,
                        transposeB: transposes & 2 == 2, padding: 2, alpha: alpha,
                        accumulating: accumulating),
                    seed: transposes)
            }
        }
    }

    @Test func largerShapes() {
        for (index, (rows, columns, inner)) in [(130, 70, 257), (1, 300, 65), (200, 1, 129), (97, 101, 1)].enumerated()
        {
            for transposes in 0..<4 {
                compare(
                    Case(
                        rows: rows, columns: columns, inner: inner, transposeA: transposes & 1 == 1,
                        transposeB: transposes & 2 == 2),
                    seed: index)
            }
        }
    }

    /// Shapes on both sides of the parallel product's tiles of 256 × 1024, and of those of a single row.
    static let tiledShapes = [
        (1, 1, 1), (0, 5, 3), (5, 0, 3), (4, 6, 0), (255, 1023, 3), (256, 1024, 2), (257, 1025, 5), (300, 2100, 17),
        (600, 30, 40), (1, 900, 300), (1, 5, 65_537), (1, 0, 4), (1, 5, 0),
    ]

    @Test(arguments: tiledShapes) func parallelProduct(rows: Int, columns: Int, inner: Int) {
        var random = RandomValues(rows + columns)
        let (strideA, strideB, strideC) = (inner + 1, inner + 2, columns + 3)
        let a = random.array(rows * strideA + 1)
        let b = random.array(columns * strideB + 1)
        let before = random.array(rows * strideC + 1)
        for accumulating in [false, true] {
            var expected = before
            for row in 0..<rows {
                for column in 0..<columns {
                    var sum = accumulating ? Double(before[row * strideC + column]) : 0
                    for i in 0..<inner { sum += Double(a[row * strideA + i]) * Double(b[column * strideB + i]) }
                    expected[row * strideC + column] = Float(sum)
                }
            }

            var first: [Float]?
            for threads in [1, 2, 3, 5] {
                var actual = before
                Workers(threads: threads).multiply(
                    rows: rows, columns: columns, inner: inner, a, stride: strideA, byTransposeOf: b, stride: strideB,
                    into: &actual, stride: strideC, accumulating: accumulating)
                if let first {
                    #expect(actual.map(\.bitPattern) == first.map(\.bitPattern), "\(threads) threads")
                } else {
                    expectClose(actual, expected, relative: 2e-6, "accumulating: \(accumulating)")
                    first = actual
                }
            }
        }
    }
}
