import CKernels
package import LinearAlgebra

/// The rows that weight gradients are sums of, ∂L/∂û and the encoder's input, copied into blocks of 64 columns
/// (`rsae_samples`): a block's sums read one piece of memory, where rows would lie far apart.
package final class SampleBlocks: @unchecked Sendable {
    /// Columns of a block.
    package static let columns = 64

    private let memory: Matrix
    private let width: Int
    /// Whether they are rounded to bf16.
    private let isHalved: Bool
    let samples: rsae_samples

    /// Makes room for `capacity` samples of a width.
    init(capacity: Int, width: Int, halved: Bool) {
        self.width = width
        isHalved = halved
        let (columns, size) = (Self.columns, halved ? 2 : 4)
        let block = capacity * 2 * columns
        let blocks = (width + columns - 1) / columns
        memory = Matrix(scratchRows: blocks, columns: block * size / 4)
        let start = UnsafeRawPointer(memory.pointer)
        samples = rsae_samples(
            error: start, centered: start + columns * size, stride: Int64(2 * columns), block: Int64(block),
            halved: halved ? 1 : 0)
    }

    /// Whether a batch is worth the copies: if its rows do not fit into the outer cache, and blocks of columns do. With
    /// products of bf16 these sums are such products.
    ///
    /// - Parameter part: columns that a block must not leave.
    package static func isWorthwhile(capacity: Int, width: Int, part: Int, precision: Precision) -> Bool {
        part % columns == 0 && (precision == .bf16 || capacity * width >= 1 << 22)
    }

    /// Copies the rows of `count` samples.
    func fill(errorGradient: Matrix, centered: Matrix, count: Int, by workers: Workers) {
        workers.forEach(count, tile: 64) { tile, _ in
            rsae_pack_samples(
                errorGradient.pointer, centered.pointer, Int64(width), Int64(tile.lowerBound), Int64(tile.count),
                samples)
        }
    }
}

extension rsae_samples {
    /// Two row-major matrices of the same width, `[samples × width]`.
    init(errorGradient: Matrix, centered: Matrix) {
        self.init(
            error: UnsafeRawPointer(errorGradient.pointer), centered: UnsafeRawPointer(centered.pointer),
            stride: Int64(centered.columns), block: Int64(SampleBlocks.columns), halved: 0)
    }

    /// The same from a column on, which begins a block unless they are row-major.
    func from(_ column: Int) -> rsae_samples {
        var result = self
        let numbers = column / SampleBlocks.columns * Int(block) + column % SampleBlocks.columns
        result.error += numbers * (halved != 0 ? 2 : 4)
        result.centered += numbers * (halved != 0 ? 2 : 4)
        return result
    }
}
