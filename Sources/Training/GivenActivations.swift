package import SparseTraining

/// Activations that the caller hands over: neither a model nor files make them, so the run records no inputs.
package struct GivenActivations {
    /// What messages call them.
    package let name: String
    /// The decoder layers they hold, ascending.
    package let layers: [Int]
    /// Width of the residual stream.
    package let dModel: Int
    /// Makes a stream that starts at their beginning.
    package let stream: () -> any ActivationStream

    package init(name: String, layers: [Int], dModel: Int, stream: @escaping () -> any ActivationStream) {
        (self.name, self.layers, self.dModel, self.stream) = (name, layers, dModel, stream)
    }
}
