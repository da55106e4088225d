import LinearAlgebra

/// A batch's active latents turned round: for each latent the samples it fires on, in their order.
///
/// Weight gradients and feature statistics are sums over these, so they need no atomics, have a fixed order, and leave
/// each latent to one thread.
public final class LatentEntries: @unchecked Sendable {
    /// Entry range of latent j: `offsets[j]..<offsets[j + 1]`.
    public private(set) var offsets: [Int]
    /// Sample of each entry.
    public private(set) var samples: UnsafeMutablePointer<Int32>
    /// Activation z of each entry.
    public private(set) var activations: UnsafeMutablePointer<Float>
    /// Slope ∂L/∂a of each entry; zero where no gradient was given.
    public private(set) var slopes: UnsafeMutablePointer<Float>
    private var capacity: Int

    /// Makes room for `capacity` entries; more room is made when it is needed.
    public init(latents: Int, capacity: Int = 0) {
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

    /// The entries of one latent.
    public func range(of latent: Int) -> Range<Int> { offsets[latent]..<offsets[latent + 1] }

    /// Fills in the entries of the first `count` samples by a counting sort. Kept latents that do not fire and have no
    /// slope are left out.
    ///
    /// - Parameter slope: ∂L/∂a `[samples × width]`, laid out as the activations are, or nil where there is no gradient.
    public func fill(from latents: SparseLatents, slopes slope: UnsafePointer<Float>? = nil, count: Int) {
        let m = offsets.count - 1
        offsets.withUnsafeMutableBufferPointer { offsets in
            offsets.update(repeating: 0)
            for sample in 0..<count {
                let index = latents.indices(of: sample)
                let activation = latents.activations(of: sample)
                let sampleSlope = slope.map { $0 + sample * latents.width }
                for slot in 0..<Int(latents.counts[sample])
                where activation[slot] != 0 || (sampleSlope?[slot] ?? 0) != 0 {
                    offsets[Int(index[slot]) + 1] += 1
                }
            }
            for latent in 0..<m { offsets[latent + 1] += offsets[latent] }
        }
        reserve(offsets[m])
        offsets.withUnsafeMutableBufferPointer { offsets in
            for sample in 0..<count {
                let index = latents.indices(of: sample)
                let activation = latents.activations(of: sample)
                let sampleSlope = slope.map { $0 + sample * latents.width }
                for slot in 0..<Int(latents.counts[sample]) {
                    let entrySlope = sampleSlope?[slot] ?? 0
                    guard activation[slot] != 0 || entrySlope != 0 else { continue }
                    let latent = Int(index[slot])
                    let place = offsets[latent]
                    offsets[latent] = place + 1
                    samples[place] = Int32(truncatingIfNeeded: sample)
                    activations[place] = activation[slot]
                    slopes[place] = entrySlope
                }
            }
            // Each start has moved to its end, which is the next latent's start.
            for latent in stride(from: m, to: 0, by: -1) { offsets[latent] = offsets[latent - 1] }
            offsets[0] = 0
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
