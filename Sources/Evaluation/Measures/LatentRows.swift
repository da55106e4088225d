import ActivationPipeline
import CKernels
import LinearAlgebra
import SparseCoding

/// The latents that fire on the tokens of a text, in the order in which they were read, one row a token.
///
/// Memory: 10 bytes for every firing.
package final class LatentRows {
    /// Number of latents, m.
    package let latents: Int
    /// Where each row begins `[rows + 1]`.
    private(set) var offsets = [0]
    /// Latents, ascending within a row.
    private(set) var indices: [Int32] = []
    /// Their activations, never 0.
    private(set) var activations: [Float] = []
    /// The layer of each, as an index into the dictionary's layers.
    private(set) var layers: [UInt16] = []

    /// Starts without rows.
    package init(latents: Int) {
        self.latents = latents
    }

    /// Rows so far.
    package var count: Int { offsets.count - 1 }

    /// Appends the latents of a token.
    func append(_ row: Int, of firings: TokenLatents) {
        let found = firings.latents
        for slot in 0..<Int(found.counts[row]) {
            let activation = found.activations(of: row)[slot]
            guard activation != 0 else { continue }
            indices.append(found.indices(of: row)[slot])
            activations.append(activation)
            layers.append(UInt16(truncatingIfNeeded: firings.layer(ofSlot: slot, at: row)))
        }
        offsets.append(indices.count)
    }

    /// Appends a row of given latents.
    ///
    /// - Parameters:
    ///   - row: latents with their activations, ascending.
    ///   - layer: the layer of all, as an index into the dictionary's layers.
    package func append(_ row: [(latent: Int, activation: Float)], layer: Int = 0) {
        for (latent, activation) in row where activation != 0 {
            indices.append(Int32(truncatingIfNeeded: latent))
            activations.append(activation)
            layers.append(UInt16(truncatingIfNeeded: layer))
        }
        offsets.append(indices.count)
    }

    /// The rows as pointers, for loops over all firings.
    func withRows<Result>(_ body: (Rows) throws -> Result) rethrows -> Result {
        try offsets.withUnsafeBufferPointer { offsets in
            try indices.withUnsafeBufferPointer { indices in
                try activations.withUnsafeBufferPointer { activations in
                    try layers.withUnsafeBufferPointer { layers in
                        try body(Rows(offsets: offsets, indices: indices, activations: activations, layers: layers))
                    }
                }
            }
        }
    }

    /// Rows while nothing is appended; only read.
    struct Rows: @unchecked Sendable {
        let offsets: UnsafeBufferPointer<Int>
        let indices: UnsafeBufferPointer<Int32>
        let activations: UnsafeBufferPointer<Float>
        let layers: UnsafeBufferPointer<UInt16>

        /// The entries of a row.
        subscript(row: Int) -> Range<Int> { offsets[row]..<offsets[row + 1] }

        /// Σ z_j v_j over a row's entries, with v the rows of a matrix `[latents or more × width]`.
        func gather(_ row: Range<Int>, of vectors: Matrix, into sum: UnsafeMutablePointer<Float>) {
            guard let indices = indices.baseAddress, let activations = activations.baseAddress else {
                sum.update(repeating: 0, count: vectors.columns)
                return
            }
            rsae_gather(
                vectors.pointer, Int64(vectors.columns), indices + row.lowerBound, activations + row.lowerBound,
                Int64(row.count), sum)
        }
    }
}
