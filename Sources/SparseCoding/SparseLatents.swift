public import LinearAlgebra

/// The active latents of a batch: for each token `k` latent indices in ascending order and their activations.
public final class SparseLatents: @unchecked Sendable {
    /// The most tokens it can hold.
    public let capacity: Int
    /// Active latents of a token.
    public let k: Int
    /// Latent indices, row-major `[capacity × k]`, ascending within a token.
    public let indices: UnsafeMutablePointer<Int32>
    /// Activations `[capacity × k]`. In the corrected mode an entry may be 0: a kept latent that does not fire.
    public let activations: Matrix

    /// Makes room for the latents of `capacity` tokens.
    public init(capacity: Int, k: Int) {
        self.capacity = capacity
        self.k = k
        indices = .allocate(capacity: max(capacity * k, 1))
        indices.initialize(repeating: 0, count: max(capacity * k, 1))
        activations = Matrix(rows: capacity, columns: k)
    }

    deinit {
        indices.deallocate()
    }

    /// The indices of one token.
    public func indices(of token: Int) -> UnsafeMutablePointer<Int32> { indices + token * k }

    /// The activations of one token.
    public func activations(of token: Int) -> UnsafeMutablePointer<Float> { activations.row(token) }
}
