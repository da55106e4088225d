/// A feature's firings on tokens that were routed to one layer (table `feature_layer`; only layers where it fired).
public struct FeatureLayerRecord: Equatable, Sendable {
    /// The latent's number.
    public let featureIndex: Int
    /// The decoder layer, counted from 0.
    public let layer: Int
    /// Tokens of this layer on which it fired.
    public let firedCount: Int
    /// Sum of its activations there.
    public let sumActivation: Double
    /// The largest of them.
    public let maxActivation: Float
    /// Sum of the router's weight over these firings; nil without a router.
    public let sumRouterWeight: Double?

    /// Mean of the router's weight over these firings; nil without a router.
    public var meanRouterWeight: Double? { sumRouterWeight.map { $0 / Double(firedCount) } }

    /// Describes a feature's part in a layer.
    public init(
        featureIndex: Int, layer: Int, firedCount: Int, sumActivation: Double, maxActivation: Float,
        sumRouterWeight: Double?
    ) {
        self.featureIndex = featureIndex
        self.layer = layer
        self.firedCount = firedCount
        self.sumActivation = sumActivation
        self.maxActivation = maxActivation
        self.sumRouterWeight = sumRouterWeight
    }
}
