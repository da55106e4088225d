/// A dense fp32 matrix, row-major `[rows × columns]`, 64-byte aligned.
///
/// A reference type: weights, optimizer moments and activation tiles are large, updated in place and
/// shared by the worker threads of one step, so an accidental copy would be a bug. It is
/// `Sendable` by the rule of the parallel loops here: while several threads work on one matrix, no two write the
/// same row, and nobody reads a row that another writes.
package final class Matrix: @unchecked Sendable {
    /// The number of rows.
    package let rows: Int
    /// The number of columns: the distance in elements between the starts of neighbouring rows.
    package let columns: Int
    /// The first element; `rows · columns` floats follow.
    ///
    /// Valid as long as the matrix lives, which it need not after its last mention: do not take the pointer of a
    /// matrix that no variable holds, as in `a.transposed().pointer`.
    package let pointer: UnsafeMutablePointer<Float>

    /// The number of elements.
    package var count: Int { rows * columns }

    /// Makes a matrix of zeros.
    ///
    /// - Precondition: `rows` and `columns` are not negative and their product fits in memory; sizes that come from a
    ///   file are checked by its reader.
    package convenience init(rows: Int, columns: Int) {
        self.init(scratchRows: rows, columns: columns)
        pointer.initialize(repeating: 0, count: max(rows * columns, 1))
    }

    /// Makes a matrix whose elements are not set: for scratch space that is written before it is read, where setting it
    /// would cost as much as using it.
    ///
    /// - Precondition: as the other initialiser.
    package init(scratchRows rows: Int, columns: Int) {
        precondition(rows >= 0 && columns >= 0, "a matrix has no negative side")
        self.rows = rows
        self.columns = columns
        let bytes = max(rows * columns, 1) * MemoryLayout<Float>.stride
        let raw = AlignedMemory.take(byteCount: bytes)
        pointer = raw.bindMemory(to: Float.self, capacity: max(rows * columns, 1))
    }

    /// Makes a matrix of the given elements, row-major.
    ///
    /// - Precondition: `elements` holds exactly `rows · columns` values.
    package convenience init(rows: Int, columns: Int, elements: [Float]) {
        precondition(elements.count == rows * columns, "\(elements.count) elements for [\(rows) × \(columns)]")
        self.init(rows: rows, columns: columns)
        elements.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            pointer.update(from: base, count: elements.count)
        }
    }

    deinit {
        AlignedMemory.release(pointer, byteCount: max(rows * columns, 1) * MemoryLayout<Float>.stride)
    }

    /// The first element of a row.
    @inlinable
    package func row(_ index: Int) -> UnsafeMutablePointer<Float> {
        pointer + index * columns
    }

    /// One element.
    @inlinable
    package subscript(row: Int, column: Int) -> Float {
        get { pointer[row * columns + column] }
        set { pointer[row * columns + column] = newValue }
    }

    /// All elements, row-major, as a copy.
    package var elements: [Float] {
        Array(UnsafeBufferPointer(start: pointer, count: count))
    }

    /// Sets every element.
    package func fill(_ value: Float) {
        pointer.update(repeating: value, count: count)
    }

    /// Copies the elements of another matrix.
    ///
    /// - Precondition: both have the same number of elements.
    package func update(from other: Matrix) {
        precondition(other.count == count, "\(other.count) elements for \(count)")
        pointer.update(from: other.pointer, count: count)
    }

    /// Another matrix with the same elements.
    package func copy() -> Matrix {
        let result = Matrix(rows: rows, columns: columns)
        result.update(from: self)
        return result
    }

    /// The transpose `[columns × rows]`.
    package func transposed() -> Matrix {
        let result = Matrix(rows: columns, columns: rows)
        // Squares of 32 × 32 keep both sides in the first-level cache.
        for rowBlock in stride(from: 0, to: rows, by: 32) {
            for columnBlock in stride(from: 0, to: columns, by: 32) {
                for row in rowBlock..<min(rowBlock + 32, rows) {
                    for column in columnBlock..<min(columnBlock + 32, columns) {
                        result.pointer[column * rows + row] = pointer[row * columns + column]
                    }
                }
            }
        }
        return result
    }
}
