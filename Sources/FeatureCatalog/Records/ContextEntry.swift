package import Vocabulary

/// A context to be written into the catalog (table `feature_context`).
///
/// A feature has at most one context per token, whatever the band: the indexer drops from `sample` what is in `top`.
/// Contexts of one feature in the same passage never belong to different splits; the database refuses both.
package struct ContextEntry: Equatable, Sendable {
    /// How it was found.
    package let band: ContextBand
    /// Its rank in the band, counted from 0; in `top` the strongest is 0.
    package let rank: Int
    /// The passage.
    package let passageID: Int64
    /// The peak token's index in the passage.
    package let position: Int
    /// The decoder layer that the peak token was routed to.
    package let layer: Int
    /// The router's weight at the peak token; nil without a router.
    package let routerWeight: Float?
    /// The activation at the peak token; 0 in `quiet`.
    package let activation: Float
    /// Whether it is for explaining or for scoring; nil for neither.
    package let split: ContextSplit?
    /// How often the window's tokens occur in the corpus; nil where that was not counted.
    package let occurrenceCount: Int?
    /// Activations `[window tokens]`, of the window that ``ContextWindow`` gives.
    package let activations: [Float]

    /// Describes a context.
    package init(
        band: ContextBand, rank: Int, passageID: Int64, position: Int, layer: Int, routerWeight: Float?,
        activation: Float, split: ContextSplit?, occurrenceCount: Int? = nil, activations: [Float]
    ) {
        self.band = band
        self.rank = rank
        self.passageID = passageID
        self.position = position
        self.layer = layer
        self.routerWeight = routerWeight
        self.activation = activation
        self.split = split
        self.occurrenceCount = occurrenceCount
        self.activations = activations
    }
}
