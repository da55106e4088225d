/// What is done to one latent wherever the dictionary reads a token.
package struct LatentEdit: Sendable, Codable, Equatable {
    /// How the strength is meant.
    package enum Operation: String, Sendable, Codable, CaseIterable {
        /// The latent becomes the strength, whether it was active or not.
        case set
        /// The strength is added, whether it was active or not; the sum is not less than 0.
        case add
        /// The latent becomes that many times what it is: 0 takes it away, 1 changes nothing.
        case multiply
    }

    /// The latent's number.
    package var feature: Int
    /// What is done.
    package var operation: Operation
    /// How strongly: in units of the activation for `set` and `add`, a factor for `multiply`.
    package var strength: Double

    /// Describes an edit.
    package init(feature: Int, operation: Operation, strength: Double) {
        self.feature = feature
        self.operation = operation
        self.strength = strength
    }

    /// The latent after the edit.
    ///
    /// - Parameter rectified: whether a latent is never negative.
    func applied(to activation: Float, rectified: Bool) -> Float {
        switch operation {
        case .set: Float(strength)
        case .add: rectified ? max(0, activation + Float(strength)) : activation + Float(strength)
        case .multiply: activation * Float(strength)
        }
    }
}
