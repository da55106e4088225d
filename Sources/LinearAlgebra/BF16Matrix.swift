import CKernels

/// Constant bf16 weights, row-major `[rows × columns]` without gaps: in memory of their own, or where a file is mapped,
/// where they need not be aligned.
package final class BF16Matrix: @unchecked Sendable {
    /// The number of rows: outputs of a linear layer.
    package let rows: Int
    /// The number of columns: inputs of a linear layer.
    package let columns: Int
    /// The first element; `rows · columns` of two bytes each follow. Valid as long as the matrix lives.
    package let bytes: UnsafeRawPointer
    /// What keeps the elements alive; nil if they are freed with the matrix.
    private let owner: AnyObject?

    /// Takes elements where they lie.
    ///
    /// - Parameters:
    ///   - bytes: `rows · columns` bf16, little-endian.
    ///   - owner: what keeps them alive and unchanged.
    package init(rows: Int, columns: Int, bytes: UnsafeRawPointer, owner: AnyObject) {
        precondition(rows >= 0 && columns >= 0, "a matrix has no negative side")
        self.rows = rows
        self.columns = columns
        self.bytes = bytes
        self.owner = owner
    }

    /// Rounds f32 to the nearest bf16, ties to even.
    ///
    /// - Parameter elements: `[rows × columns]`, row-major without gaps.
    package init(rounding elements: UnsafePointer<Float>, rows: Int, columns: Int) {
        precondition(rows >= 0 && columns >= 0, "a matrix has no negative side")
        self.rows = rows
        self.columns = columns
        let memory = AlignedMemory.allocate(byteCount: max(rows * columns, 1) * 2)
        let target = memory.bindMemory(to: UInt16.self, capacity: max(rows * columns, 1))
        rsae_round_to_bf16(elements, Int64(rows * columns), target)
        bytes = UnsafeRawPointer(memory)
        owner = nil
    }

    deinit {
        if owner == nil { UnsafeMutableRawPointer(mutating: bytes).deallocate() }
    }

    /// One element.
    package subscript(row: Int, column: Int) -> Float {
        let bits = (bytes + (row * columns + column) * 2).loadUnaligned(as: UInt16.self)
        return Float(bitPattern: UInt32(bits) << 16)
    }

    /// The first infinity or NaN, counted row-major; nil if there is none.
    package func firstNonFinite(workers: Workers) -> Int? {
        let piece = 1 << 18
        var first = [Int](repeating: -1, count: (rows * columns + piece - 1) / piece)
        first.withUnsafeMutableBufferPointer { first in
            let found = SharedPlaces(places: first)
            workers.forEach(rows * columns, tile: piece) { part, _ in
                let start = (bytes + 2 * part.lowerBound).assumingMemoryBound(to: UInt16.self)
                let place = Int(rsae_first_non_finite_bf16(start, Int64(part.count)))
                if place >= 0 { found.places[part.lowerBound / piece] = part.lowerBound + place }
            }
        }
        return first.first { $0 >= 0 }
    }

    /// The first element of a row, for kernels, which do not need it to be aligned.
    func row(_ index: Int) -> UnsafePointer<UInt16> {
        (bytes + index * columns * 2).assumingMemoryBound(to: UInt16.self)
    }
}

/// A place for each piece, of which each is written by one thread.
private struct SharedPlaces: @unchecked Sendable {
    let places: UnsafeMutableBufferPointer<Int>
}
