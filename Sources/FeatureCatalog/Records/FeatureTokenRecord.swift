/// One of the (at most 33) token classes on which a feature fires most strongly (table `feature_token`).
///
/// A class is a token's text, trimmed and lower-cased. With 33 classes the counting protocol is exact at any
/// threshold: a 33rd class above it proves that the feature has more than 32.
package struct FeatureTokenRecord: Equatable, Sendable {
    /// How many classes of a feature are kept.
    package static let keptClassCount = 33

    /// The latent's number.
    package let featureIndex: Int
    /// The class.
    package let tokenClass: String
    /// Firings on tokens of the class.
    package let firedCount: Int
    /// The strongest activation on the class.
    package let activation1: Float
    /// The second strongest; nil if it fired once.
    package let activation2: Float?

    /// Describes a class.
    package init(featureIndex: Int, tokenClass: String, firedCount: Int, activation1: Float, activation2: Float?) {
        self.featureIndex = featureIndex
        self.tokenClass = tokenClass
        self.firedCount = firedCount
        self.activation1 = activation1
        self.activation2 = activation2
    }
}
