import CKernels
import LinearAlgebra

/// The top entries of each of many rows: values descending, ties by ascending number.
///
/// The content of a list does not depend on the order of offers; offers to one row must come from one thread at a time.
final class RankedLists: @unchecked Sendable {
    /// How many lists there are.
    let rows: Int
    /// How many entries each holds at most.
    let count: Int
    private let kept: UnsafeMutablePointer<Float>
    private let held: UnsafeMutablePointer<Int32>
    private let least: UnsafeMutablePointer<Float>

    /// Makes empty lists.
    ///
    /// - Precondition: `count` is above 0.
    init(rows: Int, count: Int) {
        precondition(rows >= 0 && count > 0, "\(rows) lists of \(count)")
        self.rows = rows
        self.count = count
        kept = .allocate(capacity: max(rows * count, 1))
        held = .allocate(capacity: max(rows * count, 1))
        least = .allocate(capacity: max(rows, 1))
        clear()
    }

    deinit {
        kept.deallocate()
        held.deallocate()
        least.deallocate()
    }

    /// Empties all lists.
    func clear() {
        kept.initialize(repeating: -.infinity, count: rows * count)
        held.initialize(repeating: .max, count: rows * count)
        least.initialize(repeating: -.infinity, count: rows)
    }

    /// The lists in the kernel's form.
    var rankings: rsae_rankings { rsae_rankings(kept: kept, held: held, least: least, k: Int64(count)) }

    /// Offers `values[i] · factor · scale[i]`, numbered `first + i`, to one row; not to be mixed with offers of pairs.
    func offer(
        _ values: UnsafePointer<Float>, scale: UnsafePointer<Float>? = nil, factor: Float = 1, count elements: Int,
        first: Int, row: Int
    ) {
        rsae_rank_row(
            values, scale, factor, Int64(elements), Int32(truncatingIfNeeded: first), Int64(count),
            kept + row * count, held + row * count)
    }

    /// The entries of a row, best first; infinities are left out.
    func entries(of row: Int) -> [(number: Int, value: Float)] {
        (row * count..<(row + 1) * count).filter { kept[$0].isFinite }.map { (Int(held[$0]), kept[$0]) }
    }
}
