import LinearAlgebra
import TestSupport
import Testing

/// Packed matrices that are filled row by row or column by column, as keys and values are, and products with parts of them.
@Suite struct PackedPartTests {
    private let workers = Workers(threads: 1)

    private func rows(_ matrix: PackedMatrix) -> [[UInt32]] {
        (0..<matrix.rows).map { row in
            var elements = [Float](repeating: 0, count: matrix.columns)
            matrix.copyRow(row, to: &elements)
            return elements.map(\.bitPattern)
        }
    }

    @Test("Rows or columns set one by one equal packing the whole", arguments: [false, true], [false, true])
    func rowsAndColumns(halved: Bool, wide: Bool) {
        var random = RandomValues(3)
        for (rows, columns) in [(1, 1), (16, 6), (37, 12), (40, 33), (64, 18), (150, 17)] {
            let elements = random.array(rows * columns)
            let whole = PackedMatrix(
                elements, rows: rows, columns: columns, halved: halved, wide: wide, workers: workers)
            let byRows = PackedMatrix(rows: rows, columns: columns, halved: halved, wide: wide)
            for row in (0..<rows).reversed() {
                byRows.setRow(row, to: Array(elements[row * columns..<(row + 1) * columns]))
            }
            #expect(self.rows(byRows) == self.rows(whole))
            let byColumns = PackedMatrix(rows: rows, columns: columns, halved: halved, wide: wide)
            for column in 0..<columns {
                byColumns.setColumn(column, to: (0..<rows).map { elements[$0 * columns + column] })
            }
            #expect(self.rows(byColumns) == self.rows(whole))
        }
    }

    @Test("An even column of bf16 sets the one behind it to zero") func pairs() {
        let matrix = PackedMatrix([1, 2, 3, 4, 5, 6], rows: 1, columns: 6, halved: true, workers: workers)
        matrix.setColumn(3, to: [7])
        #expect(rows(matrix) == [[1, 2, 3, 7, 5, 6].map { ($0 as Float).bitPattern }])
        matrix.setColumn(2, to: [8])
        #expect(rows(matrix) == [[1, 2, 8, 0, 5, 6].map { ($0 as Float).bitPattern }])
    }

    @Test("The first rows or columns of a smaller matrix are copied", arguments: [false, true])
    func copies(halved: Bool) {
        var random = RandomValues(4)
        let small = PackedMatrix(random.array(32 * 20), rows: 32, columns: 20, halved: halved, workers: workers)
        let longer = PackedMatrix(rows: 48, columns: 20, halved: halved)
        longer.clear()
        longer.copyRows(32, of: small)
        #expect(rows(longer) == rows(small) + Array(repeating: Array(repeating: 0, count: 20), count: 16))
        let wider = PackedMatrix(rows: 32, columns: 50, halved: halved)
        wider.clear()
        wider.copyColumns(20, of: small)
        #expect(rows(wider) == rows(small).map { $0 + Array(repeating: 0, count: 30) })
    }

    /// Some rows of B, and terms of a longer sum of which the others are zero.
    @Test("Products with a part equal those with the whole", arguments: [false, true], [1, 2, 5, 40])
    func parts(halved: Bool, rows: Int) {
        parts(
            halved: halved, wide: false, rows: rows,
            [(0..<70, 0..<700), (16..<39, 32..<401), (64..<70, 300..<700), (32..<64, 2..<3)])
        parts(halved: halved, wide: true, rows: rows, [(0..<70, 0..<700), (64..<70, 300..<700), (0..<64, 32..<401)])
    }

    private func parts(halved: Bool, wide: Bool, rows: Int, _ cases: [(part: Range<Int>, columns: Range<Int>)]) {
        var random = RandomValues(5)
        let (outputs, inner) = (70, halved ? 512 : 700)
        let b = PackedMatrix(
            random.array(outputs * inner), rows: outputs, columns: inner, halved: halved, wide: wide, workers: workers)
        for (part, columns) in cases.map({ ($0.part, $0.columns.clamped(to: 0..<inner)) }) {
            var a = random.array(rows * inner)
            for row in 0..<rows {
                for column in 0..<inner where !columns.contains(column) { a[row * inner + column] = 0 }
            }
            let alpha: Float = halved ? 1 : 0.3
            var whole = [Float](repeating: 0, count: rows * outputs)
            if halved {
                workers.multiplyBF16(rows: rows, a, stride: inner, byTransposeOf: b, into: &whole, stride: outputs)
            } else {
                multiply(
                    rows: rows, alpha: alpha, a, stride: inner, byTransposeOf: b, rows: 0..<outputs, columns: 0..<inner,
                    into: &whole, stride: outputs)
            }
            for added in [false, true] {
                var found = [Float](repeating: 0, count: rows * part.count)
                a.withUnsafeBufferPointer { a in
                    guard let first = a.baseAddress else { return }
                    multiply(
                        rows: rows, alpha: alpha, first + columns.lowerBound, stride: inner, byTransposeOf: b,
                        rows: part, columns: columns, startingAt: columns.lowerBound, accumulating: added,
                        into: &found, stride: part.count)
                }
                let expected = (0..<rows).flatMap { row in part.map { whole[row * outputs + $0] } }
                #expect(found.map { $0 + 0 } == expected.map { $0 + 0 }, "\(part), \(columns)")
            }
        }
        // The whole against the product that is tested elsewhere.
        if !halved {
            let a = random.array(rows * inner)
            var (one, other) = (
                [Float](repeating: 0, count: rows * outputs), [Float](repeating: 0, count: rows * outputs)
            )
            multiply(
                rows: rows, a, stride: inner, byTransposeOf: b, rows: 0..<outputs, columns: 0..<inner, into: &one,
                stride: outputs)
            workers.multiply(rows: rows, a, stride: inner, byTransposeOf: b, into: &other, stride: outputs)
            #expect(one == other)
        }
    }

    @Test("Products in f32 take parts of weights that are bf16, and tiles of columns make up all of them")
    func tilesOfColumns() {
        var random = RandomValues(7)
        let (rows, outputs, inner) = (1, 1030, 300)
        let b = PackedMatrix(
            random.array(outputs * inner), rows: outputs, columns: inner, halved: true, wide: true, workers: workers)
        let a = random.array(rows * inner)
        for precision in Precision.allCases {
            var (whole, found) = ([Float](repeating: 0, count: outputs), [Float](repeating: 1, count: outputs))
            if precision == .bf16 {
                workers.multiplyBF16(rows: rows, a, stride: inner, byTransposeOf: b, into: &whole, stride: outputs)
            } else {
                workers.multiply(rows: rows, a, stride: inner, byTransposeOf: b, into: &whole, stride: outputs)
            }
            for threads in [1, 2, 5] {
                found.withUnsafeMutableBufferPointer { found in
                    guard let first = found.baseAddress else { return }
                    nonisolated(unsafe) let target = first
                    Workers(threads: threads).forEachTileOfColumns(rows: rows, columns: outputs, inner: inner) {
                        multiply(
                            rows: rows, a, stride: inner, byTransposeOf: b, rows: $0, columns: 0..<inner,
                            in: precision, into: target + $0.lowerBound, stride: outputs)
                    }
                }
                #expect(found.map(\.bitPattern) == whole.map(\.bitPattern))
            }
        }
    }

    @Test("Matrices in one storage do not overlap, and outlive it") func storage() {
        var random = RandomValues(6)
        let elements = random.array(500 * 400)
        var matrices: [PackedMatrix] = []
        do {
            let storage = MatrixStorage()
            for rows in [1, 500, 17, 16, 400, 33] {
                matrices.append(
                    PackedMatrix(
                        elements, rows: rows, columns: 400, halved: rows % 2 == 0, in: storage, workers: workers))
            }
        }
        for matrix in matrices {
            let alone = PackedMatrix(
                elements, rows: matrix.rows, columns: 400, halved: matrix.isHalved, workers: workers)
            #expect(rows(matrix) == rows(alone))
        }
    }
}
