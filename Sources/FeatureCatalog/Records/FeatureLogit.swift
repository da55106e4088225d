/// A token that a feature's decoder vector promotes or suppresses through the unembedding (table `feature_logit`).
public struct FeatureLogit: Equatable, Sendable {
    /// Which end of the list.
    public enum Direction: String, CaseIterable, Sendable {
        /// The largest values.
        case promoted
        /// The smallest values.
        case suppressed
    }

    /// The latent's number.
    public let featureIndex: Int
    /// Which end of the list.
    public let direction: Direction
    /// Its place, counted from 0 at the extreme.
    public let rank: Int
    /// The token's number in the model's vocabulary.
    public let tokenID: Int
    /// The change of the token's logit per unit of activation.
    public let value: Float

    /// Describes a token's place.
    public init(featureIndex: Int, direction: Direction, rank: Int, tokenID: Int, value: Float) {
        self.featureIndex = featureIndex
        self.direction = direction
        self.rank = rank
        self.tokenID = tokenID
        self.value = value
    }
}
