/// How the router's distribution over layers becomes one activation.
package enum RoutingMode: String, Sendable, Codable, CaseIterable {
    /// The most probable layer's activation.
    case hard
    /// The mean of all layers' activations under the router's distribution.
    case soft
}

/// How the layers' activations become the router's input.
package enum RouterAggregation: String, Sendable, Codable, CaseIterable {
    /// Their sum over the routed layers.
    case sum
    /// Their mean over the routed layers.
    case mean
}
