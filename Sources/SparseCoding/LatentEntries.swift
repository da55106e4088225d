import LinearAlgebra

/// A batch's active latents turned round: for each latent the tokens it fires on, in token order.
///
/// Weight gradients and feature statistics are sums over these, so they need no atomics, have a fixed order, and leave
/// each latent to one thread.
public final class LatentEntries: @unchecked Sendable {
    /// Entry range of latent j: `offsets[j]..<offsets[j + 1]`.
    public private(set) var offsets: [Int]
    /// Token of each entry.
    public let tokens: UnsafeMutablePointer<Int32>
    /// Activation z of each entry.
    public let activations: UnsafeMutablePointer<Float>
    /// Slope ∂L/∂a of each entry; zero where no gradient was given.
    public let slopes: UnsafeMutablePointer<Float>

    /// Makes room for `capacity` entries: tokens × k.
    public init(latents: Int, capacity: Int) {
        offsets = Array(repeating: 0, count: latents + 1)
        tokens = .allocate(capacity: max(capacity, 1))
        activations = .allocate(capacity: max(capacity, 1))
        slopes = .allocate(capacity: max(capacity, 1))
        slopes.initialize(repeating: 0, count: max(capacity, 1))
    }

    deinit {
        tokens.deallocate()
        activations.deallocate()
        slopes.deallocate()
    }

    /// The entries of one latent.
    public func range(of latent: Int) -> Range<Int> { offsets[latent]..<offsets[latent + 1] }

    /// Fills in the entries of the first `count` tokens by a counting sort. Kept latents that do not fire and have no
    /// slope are left out.
    ///
    /// - Parameter slope: ∂L/∂a `[tokens × k]`, or nil where there is no gradient.
    public func fill(from latents: SparseLatents, slopes slope: UnsafePointer<Float>? = nil, count: Int) {
        let entries = count * latents.k
        let m = offsets.count - 1
        let index = latents.indices
        let activation = latents.activations.pointer
        offsets.withUnsafeMutableBufferPointer { offsets in
            offsets.update(repeating: 0)
            for entry in 0..<entries where activation[entry] != 0 || (slope?[entry] ?? 0) != 0 {
                offsets[Int(index[entry]) + 1] += 1
            }
            for latent in 0..<m { offsets[latent + 1] += offsets[latent] }
            var entry = 0
            for token in 0..<count {
                for _ in 0..<latents.k {
                    let entrySlope = slope?[entry] ?? 0
                    if activation[entry] != 0 || entrySlope != 0 {
                        let latent = Int(index[entry])
                        let place = offsets[latent]
                        offsets[latent] = place + 1
                        tokens[place] = Int32(truncatingIfNeeded: token)
                        activations[place] = activation[entry]
                        slopes[place] = entrySlope
                    }
                    entry += 1
                }
            }
            // Each start has moved to its end, which is the next latent's start.
            for latent in stride(from: m, to: 0, by: -1) { offsets[latent] = offsets[latent - 1] }
            offsets[0] = 0
        }
    }
}
