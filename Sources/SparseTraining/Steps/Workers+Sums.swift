import CKernels
import LinearAlgebra

extension Workers {
    /// Numbers of a tile of these loops.
    private static let tile = 1 << 16

    /// Whether all numbers are finite.
    func allFinite(_ values: UnsafePointer<Float>, count: Int) -> Bool {
        tally(values, count: count) { rsae_all_finite($0, Int64($1)) == 0 ? 1 : 0 } == 0
    }

    /// How many numbers are not 0; a NaN is not.
    func countNonzero(_ values: UnsafePointer<Float>, count: Int) -> Int {
        tally(values, count: count) { part, count in
            var found = 0
            for index in 0..<count { found += part[index] != 0 ? 1 : 0 }
            return found
        }
    }

    /// The sum of what `body` counts in parts of an array.
    private func tally(
        _ values: UnsafePointer<Float>, count: Int, _ body: (_ part: UnsafePointer<Float>, _ count: Int) -> Int
    ) -> Int {
        var counts = Array(repeating: 0, count: (count + Self.tile - 1) / Self.tile)
        counts.withUnsafeMutableBufferPointer { counts in
            // Every part has a place of its own.
            nonisolated(unsafe) let counts = counts
            forEach(count, tile: Self.tile) { part, _ in
                counts[part.lowerBound / Self.tile] = body(values + part.lowerBound, part.count)
            }
        }
        return counts.reduce(0, +)
    }
}
