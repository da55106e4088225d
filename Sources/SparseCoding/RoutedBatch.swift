public import LinearAlgebra

/// What the router made of a batch: which layer each token reads, and the activation the autoencoder gets.
public final class RoutedBatch: @unchecked Sendable {
    /// The most tokens it can hold.
    public let capacity: Int
    /// The router's input r_t `[tokens × d]`.
    public let summary: Matrix
    /// The router's distribution `[tokens × layers]`.
    public let probabilities: Matrix
    /// The most probable layer of each token, as an index into the configuration's layers `[1 × tokens]`.
    public let selected: UnsafeMutablePointer<Int32>
    /// s_t: what the chosen activation was multiplied by `[1 × tokens]`; 1 unless the fidelity is `reference`.
    public let scale: Matrix
    /// u_t − b_pre `[tokens × d]`: the autoencoder's centred input.
    public let centered: Matrix
    /// ‖u_t‖² `[1 × tokens]`.
    public let squaredNorm: Matrix
    /// The mean over d of each token's activation at each layer `[tokens × layers]`.
    public let means: Matrix
    /// The standard deviation likewise, d − 1 in the denominator, without the 1e-6.
    public let deviations: Matrix

    /// Makes room for `capacity` tokens.
    public init(capacity: Int, configuration: RouteConfiguration) {
        self.capacity = capacity
        let layers = configuration.layers.count
        summary = Matrix(rows: capacity, columns: configuration.dModel)
        probabilities = Matrix(rows: capacity, columns: layers)
        selected = .allocate(capacity: max(capacity, 1))
        selected.initialize(repeating: 0, count: max(capacity, 1))
        scale = Matrix(rows: 1, columns: capacity)
        centered = Matrix(rows: capacity, columns: configuration.dModel)
        squaredNorm = Matrix(rows: 1, columns: capacity)
        means = Matrix(rows: capacity, columns: layers)
        deviations = Matrix(rows: capacity, columns: layers)
    }

    deinit {
        selected.deallocate()
    }
}
