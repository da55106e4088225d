/// A feature of the same dictionary whose decoder vector points the same way (table `feature_neighbor`).
public struct FeatureNeighbor: Equatable, Sendable {
    /// The latent's number.
    public let featureIndex: Int
    /// Its place, counted from 0 at the nearest.
    public let rank: Int
    /// The neighbour's number.
    public let neighborIndex: Int
    /// Cosine of the two decoder vectors.
    public let cosine: Float

    /// Describes a neighbour.
    public init(featureIndex: Int, rank: Int, neighborIndex: Int, cosine: Float) {
        self.featureIndex = featureIndex
        self.rank = rank
        self.neighborIndex = neighborIndex
        self.cosine = cosine
    }
}
