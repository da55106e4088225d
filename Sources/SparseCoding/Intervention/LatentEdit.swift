package import Vocabulary

/// An edit of one latent wherever the dictionary reads a token.
package struct LatentEdit: Sendable, Codable, Equatable {
    /// The latent's number.
    package var feature: Int
    /// The operation.
    package var operation: EditOperation
    /// Its strength: in units of the activation for `set` and `add`, a factor for `multiply`.
    package var strength: Double

    /// Describes an edit.
    package init(feature: Int, operation: EditOperation, strength: Double) {
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
