package import LinearAlgebra

/// The autoencoder's input from a batch: an activation for each sample, and the layer it was taken from.
///
/// A sample is a token; in an MLSAE sample `t · layers + l` is token t at the configuration's layer l.
package final class AutoencoderInput: @unchecked Sendable {
    /// The most tokens it can hold.
    package let capacity: Int
    /// Samples per token.
    package let samplesPerToken: Int
    /// The layer each sample reads, as an index into the configuration's layers `[1 × samples]`: for a router the most
    /// probable one unless the token is explored, for a crosscoder 0.
    package let selected: UnsafeMutablePointer<Int32>
    /// Likewise the layer that the router prefers `[1 × samples]`: `selected`, except for tokens explored in training.
    package let preferred: UnsafeMutablePointer<Int32>
    /// The weight of each layer in a sample `[samples × layers]`: the router's distribution; without a router 1 for the
    /// layer read and 0 for the others; 1 for all of a crosscoder's.
    package let probabilities: Matrix
    /// s: the factor of the chosen activation `[1 × samples]`; 1 except for the reference's hard routing.
    package let scale: Matrix
    /// The encoder's input `[samples × D]`: u − b_pre, or u where the configuration does not subtract b_pre.
    package let centered: Matrix
    /// ‖u‖² of each part `[samples × parts]`.
    package let squaredNorm: Matrix
    /// The router's input r_t `[tokens × d]`; no rows without a router.
    package let summary: Matrix
    /// The mean of each token's activation at each layer `[tokens × layers]`: see `InputNormalization`.
    package let means: Matrix
    /// The deviation likewise, without the epsilon.
    package let deviations: Matrix

    /// Allocates the input of `capacity` tokens.
    package init(capacity: Int, configuration: DictionaryConfiguration) {
        self.capacity = capacity
        samplesPerToken = configuration.samplesPerToken
        let samples = capacity * samplesPerToken
        let layers = configuration.layers.count
        selected = .allocate(capacity: max(samples, 1))
        selected.initialize(repeating: 0, count: max(samples, 1))
        preferred = .allocate(capacity: max(samples, 1))
        preferred.initialize(repeating: 0, count: max(samples, 1))
        probabilities = Matrix(rows: samples, columns: layers)
        scale = Matrix(rows: 1, columns: samples)
        // These two are set by every use.
        centered = Matrix(scratchRows: samples, columns: configuration.inputWidth)
        squaredNorm = Matrix(rows: samples, columns: configuration.parts)
        summary = Matrix(scratchRows: configuration.routes ? capacity : 0, columns: configuration.dModel)
        means = Matrix(rows: capacity, columns: layers)
        deviations = Matrix(rows: capacity, columns: layers)
    }

    deinit {
        selected.deallocate()
        preferred.deallocate()
    }
}
