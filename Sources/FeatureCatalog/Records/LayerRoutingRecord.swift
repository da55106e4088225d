/// How often tokens were routed to a layer during a run (table `layer_routing`).
package struct LayerRoutingRecord: Equatable, Sendable {
    /// The decoder layer, counted from 0.
    package let layer: Int
    /// Tokens routed there.
    package let tokenCount: Int
    /// Mean of the router's weight for this layer over *all* tokens; nil without a router.
    package let meanRouterWeight: Double?

    /// Describes a layer's share.
    package init(layer: Int, tokenCount: Int, meanRouterWeight: Double?) {
        self.layer = layer
        self.tokenCount = tokenCount
        self.meanRouterWeight = meanRouterWeight
    }
}
