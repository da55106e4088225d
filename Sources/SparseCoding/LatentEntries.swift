package import LinearAlgebra

/// A batch's active latents, transposed: for each latent the samples it fires on, in order.
///
/// Weight gradients and feature statistics are sums over these, so they need no atomics, have a fixed order, and
/// assign each latent to one thread.
package final class LatentEntries: @unchecked Sendable {
    /// Entry range of latent j: `offsets[j]..<offsets[j + 1]`.
    package private(set) var offsets: [Int]
    /// Sample of each entry.
    package private(set) var samples: UnsafeMutablePointer<Int32>
    /// Activation z of each entry.
    package private(set) var activations: UnsafeMutablePointer<Float>
    /// Gradient ∂L/∂a of each entry; zero without gradients.
    package private(set) var slopes: UnsafeMutablePointer<Float>
    private var capacity: Int

    /// Allocates `capacity` entries; grows when needed.
    package init(latents: Int, capacity: Int = 0) {
        offsets = Array(repeating: 0, count: latents + 1)
        self.capacity = max(capacity, 1)
        samples = .allocate(capacity: self.capacity)
        activations = .allocate(capacity: self.capacity)
        slopes = .allocate(capacity: self.capacity)
    }

    deinit {
        samples.deallocate()
        activations.deallocate()
        slopes.deallocate()
    }

    /// How many entries there are.
    package var count: Int { offsets[offsets.count - 1] }

    /// The entries of one latent.
    package func range(of latent: Int) -> Range<Int> { offsets[latent]..<offsets[latent + 1] }

    /// Samples counted and placed as one piece. A constant, so that the order never depends on the threads.
    private static let piece = 1024

    /// Fills in the entries of the first `count` samples by a counting sort. Kept latents that do not fire and have no
    /// gradient are left out.
    ///
    /// - Parameter slope: ∂L/∂a, laid out as the activations are, or nil where there is no gradient.
    package func fill(
        from latents: SparseLatents, slopes slope: UnsafePointer<Float>? = nil, count: Int, by workers: Workers
    ) {
        let m = offsets.count - 1
        let pieces = max((count + LatentEntries.piece - 1) / LatentEntries.piece, 1)
        // Each piece counts its own entries of every latent; prefix sums of the counts give their positions.
        let places = UnsafeMutablePointer<Int>.allocate(capacity: pieces * m)
        places.initialize(repeating: 0, count: pieces * m)
        defer { places.deallocate() }
        workers.forEach(count, tile: LatentEntries.piece) { samples, _ in
            let counts = places + samples.lowerBound / LatentEntries.piece * m
            LatentEntries.forEachEntry(of: samples, latents, slope) { latent, _, _, _ in counts[latent] += 1 }
        }

        var place = 0
        for latent in 0..<m {
            offsets[latent] = place
            for piece in 0..<pieces {
                let entries = places[piece * m + latent]
                places[piece * m + latent] = place
                place += entries
            }
        }
        offsets[m] = place
        reserve(place)
        workers.forEach(count, tile: LatentEntries.piece) { samples, _ in
            let next = places + samples.lowerBound / LatentEntries.piece * m
            LatentEntries.forEachEntry(of: samples, latents, slope) { latent, sample, activation, slope in
                let place = next[latent]
                next[latent] = place + 1
                self.samples[place] = sample
                activations[place] = activation
                slopes[place] = slope
            }
        }
    }

    private static func forEachEntry(
        of samples: Range<Int>, _ latents: SparseLatents, _ slope: UnsafePointer<Float>?,
        _ body: (_ latent: Int, _ sample: Int32, _ activation: Float, _ slope: Float) -> Void
    ) {
        for sample in samples {
            let index = latents.indices(of: sample)
            let activation = latents.activations(of: sample)
            let sampleSlope = slope.map { $0 + latents.offset(of: sample) }
            for slot in 0..<Int(latents.counts[sample]) {
                let entrySlope = sampleSlope?[slot] ?? 0
                guard activation[slot] != 0 || entrySlope != 0 else { continue }
                body(Int(index[slot]), Int32(truncatingIfNeeded: sample), activation[slot], entrySlope)
            }
        }
    }

    private func reserve(_ count: Int) {
        guard count > capacity else { return }
        samples.deallocate()
        activations.deallocate()
        slopes.deallocate()
        capacity = count + count / 4
        samples = .allocate(capacity: capacity)
        activations = .allocate(capacity: capacity)
        slopes = .allocate(capacity: capacity)
    }
}
