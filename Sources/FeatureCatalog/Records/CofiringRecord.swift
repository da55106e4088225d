/// Another feature that fires on the same tokens (table `feature_cofiring`), estimated from a sample of the tokens.
package struct CofiringRecord: Equatable, Sendable {
    /// The other latent's number.
    package let otherIndex: Int
    /// The share of the feature's firings on which the other one fires as well.
    package let share: Double
    /// The share over the other's firing rate: 1 for independent features.
    package let lift: Double

    /// Describes a pair.
    package init(otherIndex: Int, share: Double, lift: Double) {
        self.otherIndex = otherIndex
        self.share = share
        self.lift = lift
    }
}
