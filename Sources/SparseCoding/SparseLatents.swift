/// The active latents of a batch: for each sample latent indices in ascending order and their activations.
package final class SparseLatents: @unchecked Sendable {
    /// The most samples it can hold.
    package let capacity: Int
    /// The most active latents of a sample.
    package let width: Int
    /// Where each sample's latents begin `[capacity + 1]`, where samples share the room; nil where each has its own.
    private let offsets: UnsafeMutablePointer<Int>?
    /// Samples that share one room.
    private let tile: Int
    /// How many latents each sample has `[1 × capacity]`.
    package let counts: UnsafeMutablePointer<Int32>
    /// Latent indices, row-major `[capacity × width]` or the samples' one after another, ascending within a sample; unset
    /// beyond the sample's count.
    package let indices: UnsafeMutablePointer<Int32>
    /// Activations, laid out likewise. With TopK in the corrected mode one may be 0: a kept latent that does not fire.
    package let activations: UnsafeMutablePointer<Float>

    /// Allocates the latents of `capacity` samples. Memory is not touched yet, so an unused width
    /// costs only address space.
    package init(capacity: Int, width: Int) {
        self.capacity = capacity
        self.width = width
        offsets = nil
        tile = 1
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

    /// Allocates room for `entries` active latents that `capacity` samples share.
    package convenience init(capacity: Int, sharing entries: Int) {
        self.init(capacity: capacity, tile: max(capacity, 1), sharing: entries)
    }

    /// Allocates room for `room` active latents for every `tile` of `capacity` samples, which share it. Memory is not
    /// touched yet.
    package init(capacity: Int, tile: Int, sharing room: Int) {
        self.capacity = capacity
        self.tile = tile
        width = room
        let entries = (capacity + tile - 1) / tile * room
        offsets = .allocate(capacity: capacity + 1)
        for sample in 0...capacity { offsets?[sample] = sample / tile * room }
        counts = .allocate(capacity: max(capacity, 1))
        counts.initialize(repeating: 0, count: max(capacity, 1))
        indices = .allocate(capacity: max(entries, 1))
        activations = .allocate(capacity: max(entries, 1))
    }

    deinit {
        offsets?.deallocate()
        counts.deallocate()
        indices.deallocate()
        activations.deallocate()
    }

    /// The place of a sample's first latent; that of `capacity` samples' end for the sample after the last.
    package func offset(of sample: Int) -> Int { offsets?[sample] ?? sample * width }

    /// The indices of one sample.
    package func indices(of sample: Int) -> UnsafeMutablePointer<Int32> { indices + offset(of: sample) }

    /// The activations of one sample.
    package func activations(of sample: Int) -> UnsafeMutablePointer<Float> { activations + offset(of: sample) }

    /// Calls `body` with the latents that fire on a sample, ascending; kept ones that are zero are left out.
    @inline(__always)
    package func forEachFiring(of sample: Int, _ body: (_ latent: Int, _ activation: Float) -> Void) {
        let place = offset(of: sample)
        for slot in place..<place + Int(counts[sample]) where activations[slot] != 0 {
            body(Int(indices[slot]), activations[slot])
        }
    }

    /// Sets a sample's number of latents, where samples share the room; the samples before it in its room have theirs.
    package func place(_ sample: Int, count: Int) {
        guard let offsets else { preconditionFailure("every sample has its own room") }
        precondition(count <= room(for: sample), "no room for the latents")
        if (sample + 1) % tile != 0 || sample + 1 == capacity { offsets[sample + 1] = offsets[sample] + count }
        counts[sample] = Int32(truncatingIfNeeded: count)
    }

    /// How many latents of a sample there is room for, after those of the samples before it.
    package func room(for sample: Int) -> Int {
        offsets.map { (sample / tile + 1) * width - $0[sample] } ?? width
    }
}
