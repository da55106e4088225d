import CKernels
import Foundation
import LinearAlgebra
import Testing

/// Every element of a product is one sum in one order, spelled out here in scalar loops.
@Suite struct ProductOrderTests {
    static let kernels = ProductKernel.allCases.filter(\.isAvailable)

    /// A product of random sizes, strides and factors, and the part of its result that is looked at.
    struct Problem {
        var rows: Int
        var columns: Int
        var inner: Int
        var innerStart: Int
        var transposeA: Bool
        var transposeB: Bool
        var alpha: Float
        var accumulating: Bool
        var a: [Float]
        var b: [Float]
        var c: [Float]
        var strideA: Int { (transposeA ? rows : inner) + 3 }
        var strideB: Int { (transposeB ? inner : columns) + 5 }
        var strideC: Int { columns + 2 }

        init(seed: Int) {
            var generator = CounterGenerator(seed: UInt64(seed), stream: "product order")
            // Small, around the tiles' heights and widths, and beyond a packed block.
            func side(_ sides: [Int]) -> Int { sides[generator.index(below: sides.count)] + generator.index(below: 3) }
            rows = side([1, 1, 2, 4, 12, 27, 64, 511])
            columns = side([1, 6, 15, 31, 47, 100])
            inner = side([1, 7, 15, 31, 255, 300, 700])
            innerStart = generator.index(below: 2) * generator.index(below: 600)
            transposeA = generator.index(below: 2) == 1
            transposeB = generator.index(below: 3) > 0
            alpha = [1, 1, -1, 0.37][generator.index(below: 4)]
            accumulating = generator.index(below: 2) == 1
            (a, b, c) = ([], [], [])
            var random = RandomValues(seed)
            a = random.array((transposeA ? inner : rows) * strideA)
            b = random.array((transposeB ? columns : inner) * strideB)
            c = random.array(rows * strideC)
        }

        /// The sum of the row and column, term by term.
        func element(_ row: Int, _ column: Int, fused: Bool) -> Float {
            var result = accumulating ? c[row * strideC + column] : 0
            var isFirst = !accumulating
            var k = 0
            while k < inner {
                let end = min(k + 256 - (innerStart + k) % 256, inner)
                var sum: Float = 0
                while k < end {
                    let x = transposeA ? a[k * strideA + row] : a[row * strideA + k]
                    let y = transposeB ? b[column * strideB + k] : b[k * strideB + column]
                    sum = fused ? fmaf(x, y, sum) : x * y + sum
                    k += 1
                }
                if isFirst {
                    result = alpha * sum
                } else {
                    result = fused ? fmaf(alpha, sum, result) : alpha * sum + result
                }
                isFirst = false
            }
            return result
        }

        /// The product of some rows and columns alone.
        func product(_ rows: Range<Int>, _ columns: Range<Int>, _ kernel: ProductKernel) -> [Float] {
            var result = c
            result.withUnsafeMutableBufferPointer { target in
                guard let c = target.baseAddress else { return }
                a.withUnsafeBufferPointer { a in
                    b.withUnsafeBufferPointer { b in
                        guard let a = a.baseAddress, let b = b.baseAddress else { return }
                        multiply(
                            rows: rows.count, columns: columns.count, inner: inner, innerStart: innerStart,
                            alpha: alpha,
                            a + rows.lowerBound * (transposeA ? 1 : strideA), stride: strideA, transposeA: transposeA,
                            b + columns.lowerBound * (transposeB ? strideB : 1), stride: strideB,
                            transposeB: transposeB, accumulating: accumulating,
                            into: c + rows.lowerBound * strideC + columns.lowerBound, stride: strideC, with: kernel)
                    }
                }
            }
            return result
        }
    }

    @Test("Every element is a sum in a fixed order", arguments: kernels)
    func everyElementIsItsSumInOrder(kernel: ProductKernel) {
        for seed in 0..<150 {
            let problem = Problem(seed: seed)
            let result = problem.product(0..<problem.rows, 0..<problem.columns, kernel)
            var generator = CounterGenerator(seed: UInt64(seed), stream: "elements")
            for _ in 0..<200 {
                let (row, column) = (generator.index(below: problem.rows), generator.index(below: problem.columns))
                let expected = problem.element(row, column, fused: kernel != .baseline)
                let actual = result[row * problem.strideC + column]
                #expect(actual.bitPattern == expected.bitPattern, "seed \(seed), row \(row), column \(column)")
                if actual.bitPattern != expected.bitPattern { return }
            }
        }
    }

    @Test("A part of a product equals that part of the whole", arguments: kernels)
    func partsHaveTheBitsOfTheWhole(kernel: ProductKernel) {
        for seed in 0..<150 {
            let problem = Problem(seed: seed)
            let whole = problem.product(0..<problem.rows, 0..<problem.columns, kernel)
            var generator = CounterGenerator(seed: UInt64(seed), stream: "parts")
            for _ in 0..<4 {
                let first = generator.index(below: problem.rows)
                let rows = first..<first + 1 + generator.index(below: problem.rows - first)
                let left = generator.index(below: problem.columns)
                let columns = left..<left + 1 + generator.index(below: problem.columns - left)
                let part = problem.product(rows, columns, kernel)
                let places = rows.flatMap { row in columns.map { row * problem.strideC + $0 } }
                #expect(
                    places.allSatisfy { part[$0].bitPattern == whole[$0].bitPattern },
                    "seed \(seed): rows \(rows), columns \(columns)")
                let outside = Set(part.indices).subtracting(places)
                #expect(outside.allSatisfy { part[$0].bitPattern == problem.c[$0].bitPattern }, "seed \(seed)")
            }
        }
    }

    /// A sum that begins with zeros may leave them out.
    @Test("Leading zeros may be skipped", arguments: kernels) func leadingZerosMayBeLeftOut(kernel: ProductKernel) {
        for start in [1, 16, 255, 256, 300, 512] {
            var random = RandomValues(start)
            let (rows, columns, inner) = (5, 40, 700)
            var a = random.array(rows * inner)
            for row in 0..<rows { for k in 0..<start { a[row * inner + k] = 0 } }
            let b = random.array(inner * columns)
            var whole = random.array(rows * columns)
            var rest = whole
            multiply(
                rows: rows, columns: columns, inner: inner, a, stride: inner, b, stride: columns, into: &whole,
                stride: columns, with: kernel)
            a.withUnsafeBufferPointer { a in
                b.withUnsafeBufferPointer { b in
                    guard let a = a.baseAddress, let b = b.baseAddress else { return }
                    multiply(
                        rows: rows, columns: columns, inner: inner - start, innerStart: start, a + start, stride: inner,
                        b + start * columns, stride: columns, into: &rest, stride: columns, with: kernel)
                }
            }
            #expect(rest.map(\.bitPattern) == whole.map(\.bitPattern), "\(start) zeros")
        }
    }

    @Test(
        "The AVX2 and AVX-512 kernels agree",
        .enabled(if: ProductKernel.avx512.isAvailable && ProductKernel.avx2.isAvailable))
    func theKernelsWithFusedMultiplyAddAgree() {
        for seed in 0..<60 {
            let problem = Problem(seed: seed)
            let results = [ProductKernel.avx512, .avx2].map {
                problem.product(0..<problem.rows, 0..<problem.columns, $0).map(\.bitPattern)
            }
            #expect(results[0] == results[1], "seed \(seed)")
        }
    }
}
