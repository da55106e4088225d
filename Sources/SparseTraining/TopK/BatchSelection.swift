import CKernels
package import LinearAlgebra
package import SparseCoding

/// BatchTopK (Bussmann et al. 2024, arXiv 2412.06410): of the pre-activations of n samples the n · k largest above 0 are
/// kept, of equal ones those of the first samples, and within a sample of the first latents.
///
/// The pre-activations are never stored beyond a tile. One pass notes all values from a guess on, which is below what was
/// kept of the batch before; the n · k largest of those are the answer. Where the guess leaves too few or too many, two
/// passes count the bits of all values and so find the exact bound, and a third notes the values from it on. No guess
/// changes a result.
package final class BatchSelection {
    /// Encodes the samples.
    private let encoder: DictionaryEncoder
    private let workers: Workers
    /// k, the mean number of latents kept of a sample.
    private let k: Int
    /// The least value kept of the batch before; nil before the first.
    private var lastKept: Float?
    private var tiles: [Tile] = []
    private let preActivations: [Matrix]
    private let scratch: [Matrix]
    private let bounds: Matrix

    /// Values noted of a tile's samples, in the order of samples and latents.
    private final class Tile {
        var latents: [Int32] = []
        var values: [Float] = []
        /// Of each sample the end of its values.
        var ends: [Int] = []
        var isFull = false
        /// Whether a value is no number.
        var isBroken = false
        /// Values equal to the bound that may still be kept.
        var room = 0

        func clear(room: Int) {
            latents.removeAll(keepingCapacity: true)
            values.removeAll(keepingCapacity: true)
            ends.removeAll(keepingCapacity: true)
            (isFull, isBroken) = (false, false)
            self.room = room
        }
    }

    /// Makes a selection of k latents of a sample, on the mean.
    package init(_ encoder: DictionaryEncoder, k: Int, workers: Workers) {
        (self.encoder, self.k, self.workers) = (encoder, k, workers)
        let m = encoder.configuration.latents
        preActivations = (0..<workers.count).map { _ in Matrix(scratchRows: DictionaryEncoder.tile, columns: m) }
        // Zeros behind the latents, for the scan's last step.
        scratch = (0..<workers.count).map { _ in Matrix(rows: 1, columns: m + BatchSelection.stride) }
        bounds = Matrix(rows: 1, columns: m)
    }

    /// Encodes samples and keeps their latents.
    ///
    /// - Parameter latents: room for `count` samples that share `count` · k latents.
    /// - Returns: the least activation kept; nil if none is. If a value is no number, all that is kept is one NaN, so that
    ///   the loss shows it.
    package func encode(_ input: AutoencoderInput, count: Int, into latents: SparseLatents) -> Float? {
        let most = count * k
        let guess = lastKept.map { 0.85 * $0 }
        var noted = guess.map { note(from: $0, of: input, count: count, ties: most, limit: 8 * k) }
        if noted == nil || noted.map({ $0 < most }) == true || tiles.contains(where: \.isFull) {
            let bound = PositiveRanks.key(ofRank: most) { rank(of: input, count: count, below: $0) }
            // Where fewer are above 0, all of them are kept.
            noted = note(
                from: bound.map { Float(bitPattern: $0.key) } ?? 0, of: input, count: count, ties: most, limit: nil)
        }
        guard !tiles.contains(where: \.isBroken) else {
            for sample in 0..<count { latents.place(sample, count: sample == 0 ? 1 : 0) }
            (latents.indices[0], latents.activations[0]) = (0, .nan)
            return nil
        }

        let kept = PositiveRanks.key(ofRank: most) { upper in
            var ranks = PositiveRanks()
            for tile in tiles { for value in tile.values { ranks.count(value, below: upper) } }
            return ranks
        }
        lastKept = fill(latents, from: kept?.key ?? 0, ties: kept.map { most - $0.above } ?? 0)
        return lastKept
    }

    /// Copies the values above the least kept, and as many equal to it as there is room for.
    ///
    /// - Returns: the least value copied.
    private func fill(_ latents: SparseLatents, from key: UInt32, ties: Int) -> Float? {
        var (ties, sample, least) = (ties, 0, Float?.none)
        for tile in tiles {
            var place = 0
            for end in tile.ends {
                let (indices, activations) = (latents.indices(of: sample), latents.activations(of: sample))
                var count = 0
                for entry in place..<end {
                    let value = tile.values[entry]
                    let own = PositiveRanks.key(value)
                    if own == key, ties > 0 { ties -= 1 } else if own <= key { continue }
                    indices[count] = tile.latents[entry]
                    activations[count] = value
                    count += 1
                    least = least.map { min($0, value) } ?? value
                }
                latents.place(sample, count: count)
                (place, sample) = (end, sample + 1)
            }
        }
        return least
    }

    /// Notes every value from a bound on that is above 0; of those that equal it, no more of a tile than can be kept.
    ///
    /// - Parameter limit: values of a sample, on the mean over a tile, after which the tile is given up as full.
    /// - Returns: how many were noted.
    private func note(
        from bound: Float, of input: AutoencoderInput, count: Int, ties most: Int, limit: Int?
    ) -> Int {
        let tileCount = (count + DictionaryEncoder.tile - 1) / DictionaryEncoder.tile
        while tiles.count < tileCount { tiles.append(Tile()) }
        tiles.removeLast(tiles.count - tileCount)
        // The kernel keeps what is above its threshold.
        bounds.fill(bound.isNaN ? .infinity : max(bound, .leastNonzeroMagnitude).nextDown)
        forEachRow(of: input, count: count) { tile, sample, worker, row in
            let found = tiles[tile]
            if sample == 0 { found.clear(room: most) }
            if !found.isFull, !found.isBroken {
                forEachPositive(row, worker) { latent, value in
                    if value.isNaN { found.isBroken = true }
                    if value == bound { found.room -= 1 }
                    guard !found.isBroken, found.room >= 0 || value != bound else { return }
                    found.latents.append(latent)
                    found.values.append(value)
                }
                if let limit, found.values.count > limit * DictionaryEncoder.tile { found.isFull = true }
            }
            found.ends.append(found.values.count)
        }
        return tiles.reduce(0) { $0 + $1.values.count }
    }

    /// Counts the bits of all values above 0.
    private func rank(of input: AutoencoderInput, count: Int, below upper: UInt32?) -> PositiveRanks {
        bounds.fill(0)
        var ranks = (0..<workers.count).map { _ in PositiveRanks() }
        ranks.withUnsafeMutableBufferPointer { ranks in
            // Each worker has its own.
            nonisolated(unsafe) let ranks = ranks
            forEachRow(of: input, count: count) { _, _, worker, row in
                forEachPositive(row, worker) { ranks[worker].count($1, below: upper) }
            }
        }
        return ranks.dropFirst().reduce(into: ranks[0]) { $0.add($1) }
    }

    /// Encodes tile by tile, and shows each sample's products on the tile's worker, in order.
    private func forEachRow(
        of input: AutoencoderInput, count: Int,
        _ body: (_ tile: Int, _ sample: Int, _ worker: Int, _ row: UnsafePointer<Float>) -> Void
    ) {
        workers.forEach(count, tile: DictionaryEncoder.tile) { samples, worker in
            encoder.encoderProduct(input, samples, into: preActivations[worker])
            for sample in 0..<samples.count {
                body(
                    samples.lowerBound / DictionaryEncoder.tile, sample, worker, preActivations[worker].row(sample))
            }
        }
    }

    /// Numbers looked at in one step of the scan.
    private static let stride = 16

    /// Shows the values of one sample above `bounds`, by ascending latent; NaN is one of them.
    private func forEachPositive(
        _ products: UnsafePointer<Float>, _ worker: Int, _ body: (_ latent: Int32, _ value: Float) -> Void
    ) {
        let m = encoder.configuration.latents
        let values = scratch[worker].pointer
        rsae_jump_relu(products, encoder.weights.latentBias.pointer, bounds.pointer, Int64(m), values)
        // Most are zeros: eight words of two are looked at together.
        let words = UnsafeRawPointer(values).assumingMemoryBound(to: UInt64.self)
        for first in Swift.stride(from: 0, to: m, by: BatchSelection.stride) {
            let w = words + first / 2
            guard w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7] != 0 else { continue }
            for latent in first..<min(first + BatchSelection.stride, m) where values[latent] != 0 {
                body(Int32(truncatingIfNeeded: latent), values[latent])
            }
        }
    }
}
