/// A feature of the same dictionary whose decoder vector points the same way (table `feature_neighbor`).
package struct FeatureNeighbor: Equatable, Sendable {
    /// The latent's number.
    package let featureIndex: Int
    /// Its rank, counted from 0 at the nearest.
    package let rank: Int
    /// The neighbour's number.
    package let neighborIndex: Int
    /// Cosine of the two decoder vectors.
    package let cosine: Float

    /// Describes a neighbour.
    package init(featureIndex: Int, rank: Int, neighborIndex: Int, cosine: Float) {
        self.featureIndex = featureIndex
        self.rank = rank
        self.neighborIndex = neighborIndex
        self.cosine = cosine
    }
}
