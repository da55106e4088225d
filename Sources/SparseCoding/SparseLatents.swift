/// The active latents of a batch: for each sample latent indices in ascending order and their activations.
package final class SparseLatents: @unchecked Sendable {
    /// The most samples it can hold.
    package let capacity: Int
    /// The most active latents of a sample.
    package let width: Int
    /// How many latents each sample has `[1 × capacity]`.
    package let counts: UnsafeMutablePointer<Int32>
    /// Latent indices, row-major `[capacity × width]`, ascending within a sample; unset beyond the sample's
    /// count.
    package let indices: UnsafeMutablePointer<Int32>
    /// Activations `[capacity × width]`. With TopK in the corrected mode one may be 0: a kept latent that does not fire.
    package let activations: UnsafeMutablePointer<Float>

    /// Allocates the latents of `capacity` samples. Memory is not touched yet, so an unused width
    /// costs only address space.
    package init(capacity: Int, width: Int) {
        self.capacity = capacity
        self.width = width
        counts = .allocate(capacity: max(capacity, 1))
        counts.initialize(repeating: 0, count: max(capacity, 1))
        indices = .allocate(capacity: max(capacity * width, 1))
        activations = .allocate(capacity: max(capacity * width, 1))
    }

    /// Allocates the latents of `capacity` tokens.
    package convenience init(capacity: Int, configuration: DictionaryConfiguration) {
        self.init(
            capacity: capacity * configuration.samplesPerToken, width: configuration.k ?? configuration.latents)
    }

    deinit {
        counts.deallocate()
        indices.deallocate()
        activations.deallocate()
    }

    /// The indices of one sample.
    package func indices(of sample: Int) -> UnsafeMutablePointer<Int32> { indices + sample * width }

    /// The activations of one sample.
    package func activations(of sample: Int) -> UnsafeMutablePointer<Float> { activations + sample * width }
}
