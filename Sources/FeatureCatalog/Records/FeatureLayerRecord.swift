/// A feature's firings on tokens that were routed to one layer (table `feature_layer`; only layers where it fired).
package struct FeatureLayerRecord: Equatable, Sendable {
    /// The latent's number.
    package let featureIndex: Int
    /// The decoder layer, counted from 0.
    package let layer: Int
    /// Tokens of this layer on which it fired.
    package let firedCount: Int
    /// Sum of its activations there.
    package let sumActivation: Double
    /// The largest of them.
    package let maxActivation: Float
    /// Sum of the router's weight over these firings; nil without a router.
    package let sumRouterWeight: Double?

    /// Mean of the router's weight over these firings; nil without a router.
    package var meanRouterWeight: Double? { sumRouterWeight.map { $0 / Double(firedCount) } }

    /// Describes a feature's part in a layer.
    package init(
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
