import LinearAlgebra
import Testing

@Suite struct MatrixTests {
    @Test func startsAtZero() {
        #expect(Matrix(rows: 3, columns: 5).elements == Array(repeating: 0, count: 15))
        #expect(Matrix(rows: 0, columns: 5).elements.isEmpty)
        #expect(Matrix(rows: 4, columns: 0).count == 0)
    }

    @Test func isRowMajorAndAligned() {
        let matrix = Matrix(rows: 2, columns: 3, elements: [1, 2, 3, 4, 5, 6])
        #expect(matrix[1, 0] == 4)
        #expect(matrix.row(1)[2] == 6)
        #expect(Int(bitPattern: matrix.pointer) % 64 == 0)
        matrix[0, 2] = -7
        #expect(matrix.elements == [1, 2, -7, 4, 5, 6])
    }

    @Test("A copy is independent") func aCopyIsApart() {
        let matrix = Matrix(rows: 2, columns: 2, elements: [1, 2, 3, 4])
        let copy = matrix.copy()
        matrix.fill(9)
        #expect(copy.elements == [1, 2, 3, 4])
        #expect(matrix.elements == [9, 9, 9, 9])
        // From a matrix that nothing else holds.
        matrix.update(from: copy.transposed())
        #expect(matrix.elements == [1, 3, 2, 4])
    }

    @Test func transposedSwapsEveryPair() {
        for rows in [0, 1, 2, 31, 32, 33, 70] {
            for columns in [0, 1, 3, 32, 45, 65] {
                let matrix = Matrix(rows: rows, columns: columns, elements: (0..<rows * columns).map { Float($0) })
                let transpose = matrix.transposed()
                #expect(transpose.rows == columns && transpose.columns == rows)
                let expected = (0..<columns).flatMap { column in
                    (0..<rows).map { row in Float(row * columns + column) }
                }
                #expect(transpose.elements == expected)
            }
        }
    }
}
