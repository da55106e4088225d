/// A token that a feature's decoder vector promotes or suppresses through the unembedding (table `feature_logit`).
package struct FeatureLogit: Equatable, Sendable {
    /// The end of the list.
    package enum Direction: String, CaseIterable, Sendable {
        /// The largest values.
        case promoted
        /// The smallest values.
        case suppressed
    }

    /// The latent's number.
    package let featureIndex: Int
    /// The end of the list.
    package let direction: Direction
    /// Its rank, counted from 0 at the extreme.
    package let rank: Int
    /// The token's number in the model's vocabulary.
    package let tokenID: Int
    /// The change of the token's logit per unit of activation.
    package let value: Float

    /// Describes a token's place.
    package init(featureIndex: Int, direction: Direction, rank: Int, tokenID: Int, value: Float) {
        self.featureIndex = featureIndex
        self.direction = direction
        self.rank = rank
        self.tokenID = tokenID
        self.value = value
    }
}
