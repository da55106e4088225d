import CKernels
import Foundation
import LinearAlgebra
import Testing

/// Products of bf16 against sums written out here term by term.
@Suite struct BF16ProductTests {
    static let kernels = BF16Kernel.allCases.filter(\.isAvailable)

    /// Rows and columns around the tiles' sides, and terms around pairs, vectors and blocks.
    struct Problem {
        let (rows, columns, inner): (Int, Int, Int)
        let accumulating: Bool
        let a: [Float]
        let b: [Float]
        let before: [Float]
        var strideA: Int { inner + 3 }
        var strideC: Int { columns + 2 }

        init(rows: Int, columns: Int, inner: Int, seed: Int) {
            (self.rows, self.columns, self.inner) = (rows, columns, inner)
            accumulating = seed % 2 == 1
            var random = RandomValues(seed)
            func values(_ count: Int) -> [Float] {
                (0..<count).map { _ in random.next() }
            }
            a = values(rows * (inner + 3))
            b = values(columns * inner).map(BF16ProductTests.nearest)
            before = values(rows * (columns + 2))
        }

        /// Without rounding of intermediate steps but those of the definition.
        func element(_ row: Int, _ column: Int) -> Float {
            var result = accumulating ? before[row * strideC + column] : 0
            for block in stride(from: 0, to: inner, by: 512) {
                var sum: Float = 0
                for pair in stride(from: block, to: min(block + 512, inner), by: 2) {
                    for term in [pair + 1, pair] where term < inner {
                        let x = BF16ProductTests.nearest(a[row * strideA + term])
                        sum = fmaf(x, b[column * inner + term], sum)
                    }
                }
                result = block == 0 && !accumulating ? sum : result + sum
            }
            return result
        }

        /// The whole of C, gaps between rows included.
        func product(
            threads: Int, _ kernel: BF16Kernel, packed: Bool, wide: Bool = false, firstRow: Int = 0, count: Int? = nil,
            offset: Int = 0
        ) -> [Float] {
            let workers = Workers(threads: threads)
            var c = before
            c.withUnsafeMutableBufferPointer { c in
                a.withUnsafeBufferPointer { a in
                    guard let a = a.baseAddress, let c = c.baseAddress else { return }
                    let (from, to) = (a + firstRow * strideA, c + firstRow * strideC)
                    if packed {
                        let weights = PackedMatrix(
                            b, rows: columns, columns: inner, halved: true, wide: wide, workers: workers)
                        workers.multiplyBF16(
                            rows: count ?? rows, from, stride: strideA, byTransposeOf: weights, into: to,
                            stride: strideC, accumulating: accumulating, with: kernel)
                    } else {
                        let weights = StoredBytes(b, offset: offset)
                        let matrix = BF16Matrix(
                            rows: columns, columns: inner, bytes: weights.first, owner: weights)
                        workers.multiply(
                            rows: count ?? rows, from, stride: strideA, byTransposeOf: matrix, into: to,
                            stride: strideC, accumulating: accumulating, with: kernel)
                    }
                }
            }
            return c
        }
    }

    /// bf16 as a file has them, beginning at any byte.
    final class StoredBytes {
        let memory: UnsafeMutableRawPointer
        let first: UnsafeRawPointer

        init(_ values: [Float], offset: Int) {
            memory = .allocate(byteCount: values.count * 2 + offset, alignment: 64)
            for (place, value) in values.enumerated() {
                let bits = UInt16(truncatingIfNeeded: value.bitPattern >> 16)
                (memory + offset + 2 * place).storeBytes(of: bits, as: UInt16.self)
            }
            first = UnsafeRawPointer(memory + offset)
        }

        deinit { memory.deallocate() }
    }

    /// The nearest bf16, ties to even, found by comparing both neighbours.
    static func nearest(_ x: Float) -> Float {
        guard x.isFinite else { return x }
        let lower = Float(bitPattern: x.bitPattern & 0xFFFF_0000)
        let upper = Float(bitPattern: lower.bitPattern &+ 0x1_0000)
        let (down, up) = (abs(Double(x) - Double(lower)), abs(Double(upper) - Double(x)))
        if down != up { return down < up ? lower : upper }
        return lower.bitPattern >> 16 & 1 == 0 ? lower : upper
    }

    static let sizes: [(rows: Int, columns: Int, inner: Int)] = {
        var sizes = [(rows: 3, columns: 1000, inner: 401), (rows: 530, columns: 70, inner: 600)]
        for rows in [1, 2, 3, 4, 5, 12, 13, 14, 15, 27, 29] {
            for columns in [1, 7, 8, 15, 16, 17, 31, 32, 33, 100] {
                for inner in [1, 2, 3, 31, 32, 33, 64, 511, 512, 513, 1030] where rows * columns * inner < 500_000 {
                    sizes.append((rows, columns, inner))
                }
            }
        }
        return sizes
    }()

    @Test("Every element is a sum of pairs in a fixed order", arguments: kernels)
    func everyElementIsItsSumOfPairs(kernel: BF16Kernel) {
        for (seed, size) in Self.sizes.enumerated() {
            // The slow kernel takes every tenth size.
            guard kernel != .baseline || seed % 10 == 3 else { continue }
            let problem = Problem(rows: size.rows, columns: size.columns, inner: size.inner, seed: seed)
            var random = RandomValues(seed)
            let results = [
                problem.product(threads: 2, kernel, packed: true),
                problem.product(threads: 2, kernel, packed: true, wide: true),
                problem.product(threads: 2, kernel, packed: false, offset: seed % 3),
            ]
            for result in results.dropFirst() {
                #expect(results[0].map(\.bitPattern) == result.map(\.bitPattern), "\(size)")
            }
            for _ in 0..<40 {
                let (row, column) = (random.index(below: size.rows), random.index(below: size.columns))
                let expected = problem.element(row, column)
                let actual = results[0][row * problem.strideC + column]
                #expect(actual.bitPattern == expected.bitPattern, "\(size), row \(row), column \(column)")
                if actual.bitPattern != expected.bitPattern { return }
            }
            for row in 0..<size.rows {
                for gap in size.columns..<problem.strideC {
                    let place = row * problem.strideC + gap
                    #expect(results[0][place] == problem.before[place], "\(size): beyond row \(row)")
                }
            }
        }
    }

    @Test("A row has the same bits alone, in any company, and on any number of threads", arguments: kernels)
    func aRowHasItsBitsInAnyCompany(kernel: BF16Kernel) {
        let (columns, inner) = kernel == .baseline ? (50, 70) : (700, 1100)
        let problem = Problem(rows: 300, columns: columns, inner: inner, seed: 7)
        for packed in [true, false] {
            let whole = problem.product(threads: 1, kernel, packed: packed).map(\.bitPattern)
            for threads in 2...4 {
                let other = problem.product(threads: threads, kernel, packed: packed).map(\.bitPattern)
                #expect(other == whole, "\(threads) threads")
            }
            for (first, count) in [(0, 1), (299, 1), (17, 2), (100, 3), (41, 13), (8, 14), (200, 97)] {
                let part = problem.product(threads: 2, kernel, packed: packed, firstRow: first, count: count)
                let places = first * problem.strideC..<(first + count) * problem.strideC
                #expect(part[places].map(\.bitPattern) == Array(whole[places]), "rows \(first), \(count)")
            }
        }
    }

    @Test("An empty sum is zero, or what was there", arguments: kernels) func anEmptySum(kernel: BF16Kernel) {
        for accumulating in [false, true] {
            var c: [Float] = [3, 4, 5, 6]
            let nothing: [Float] = [0]
            Workers(threads: 1).multiply(
                rows: 2, nothing, stride: 0,
                byTransposeOf: BF16Matrix(rounding: nothing, rows: 1, columns: 0), into: &c, stride: 2,
                accumulating: accumulating, with: kernel)
            #expect(c == (accumulating ? [3, 4, 5, 6] : [0, 4, 0, 6]))
        }
    }
}
