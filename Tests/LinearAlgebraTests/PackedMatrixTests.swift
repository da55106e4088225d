import LinearAlgebra
import TestSupport
import Testing

@Suite struct PackedMatrixTests {
    static let kernels = ProductKernel.allCases.filter(\.isAvailable)

    /// Random weights that are bf16.
    private func weights(_ count: Int, _ random: inout RandomValues) -> [Float] {
        random.array(count).map { Float(bitPattern: $0.bitPattern & 0xFFFF_0000) }
    }

    /// Few rows and many, around the tiles' heights; columns that end within a panel; sums of one block and of several;
    /// and a product large enough to be shared out.
    @Test("Products with packed weights equal those with row-major weights", arguments: kernels)
    func productsHaveTheBitsOfTheWeightsByRows(kernel: ProductKernel) {
        var sizes = [(rows: 3, columns: 1000, inner: 400)]
        for rows in [1, 2, 3, 4, 7, 14, 15, 29, 300] {
            for columns in [1, 8, 15, 16, 17, 37, 100, 250] {
                for inner in [1, 16, 100, 256, 300, 513] where rows < 300 || inner == 300 {
                    sizes.append((rows, columns, inner))
                }
            }
        }

        let workers = Workers(threads: 2)
        for (seed, size) in sizes.enumerated() {
            var random = RandomValues(seed)
            let b = weights(size.columns * size.inner, &random)
            // Strides are wider than the rows, and what lies between stays as it is.
            let (strideA, strideC) = (size.inner + 3, size.columns + 2)
            let a = random.array(size.rows * strideA)
            let before = random.array(size.rows * strideC)
            let accumulating = seed % 2 == 1
            var expected = before
            workers.multiply(
                rows: size.rows, columns: size.columns, inner: size.inner, a, stride: strideA, byTransposeOf: b,
                stride: size.inner, into: &expected, stride: strideC, accumulating: accumulating, with: kernel)
            for (halved, wide) in [(false, false), (false, true), (true, false), (true, true)] {
                let packed = PackedMatrix(
                    b, rows: size.columns, columns: size.inner, halved: halved, wide: wide, workers: workers)
                var actual = before
                workers.multiply(
                    rows: size.rows, a, stride: strideA, byTransposeOf: packed, into: &actual, stride: strideC,
                    accumulating: accumulating, with: kernel)
                let isSame = actual.map(\.bitPattern) == expected.map(\.bitPattern)
                #expect(isSame, "\(size), \(halved ? "bf16" : "f32"), panels of \(packed.panelRows)")
                if !isSame { return }
            }
        }
    }

    @Test("Packed rows read back", arguments: [false, true], [false, true])
    func rowsComeBackAsTheyWere(halved: Bool, wide: Bool) {
        var random = RandomValues(1)
        let (rows, columns, panel) = wide ? (133, 5, 64) : (37, 5, 16)
        var elements = halved ? weights(rows * columns, &random) : random.array(rows * columns)
        elements[7] = .infinity
        elements[100] = Float(bitPattern: 0x7FC1_0000)
        elements[101] = -0.0
        let packed = PackedMatrix(rows: rows, columns: columns, halved: halved, wide: wide)
        #expect(packed.byteCount == 3 * panel * (halved ? 6 * 2 : 5 * 4))
        elements.withUnsafeBufferPointer { all in
            guard let first = all.baseAddress else { return }
            packed.pack(2 * panel..<rows, from: first + 2 * panel * columns)
            packed.pack(0..<2 * panel, from: first)
        }
        for row in 0..<rows {
            var found = [Float](repeating: 0, count: columns)
            packed.copyRow(row, to: &found)
            #expect(found.map(\.bitPattern) == elements[row * columns..<(row + 1) * columns].map(\.bitPattern))
        }
    }

    /// Padding of the last panel meets no infinity of A, and NaNs of one row of the weights stay in its column.
    @Test("A row with NaN affects its column only", arguments: kernels)
    func aRowThatHoldsNaNsSpoilsItsColumnAlone(kernel: ProductKernel) {
        var random = RandomValues(2)
        let (rows, columns, inner) = (5, 19, 40)
        var b = weights(columns * inner, &random)
        b[17 * inner + 3] = .nan
        var a = random.array(rows * inner)
        a[2 * inner] = .infinity
        for (halved, wide) in [(false, false), (false, true), (true, false), (true, true)] {
            let packed = PackedMatrix(
                b, rows: columns, columns: inner, halved: halved, wide: wide, workers: Workers(threads: 1))
            for count in [1, 2, rows] {
                var c = [Float](repeating: 0, count: rows * columns)
                Workers(threads: 1).multiply(
                    rows: count, a, stride: inner, byTransposeOf: packed, into: &c, stride: columns, with: kernel)
                for place in 0..<count * columns where place / columns != 2 {
                    #expect(c[place].isNaN == (place % columns == 17))
                }
            }
        }
    }
}
