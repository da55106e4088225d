/// The features that fire on one token of a text, at one layer.
package struct TokenFirings: Sendable, Equatable {
    /// A feature with its activation.
    package struct Firing: Sendable, Equatable {
        /// The feature.
        package let featureIndex: Int
        /// Above 0.
        package let activation: Float
    }

    /// The token's position in the text, from 0.
    package let position: Int
    /// Its text.
    package let token: String
    /// The decoder layer it was read from; nil if all layers were read at once.
    package let layer: Int?
    /// The router's weight of that layer; nil without a router.
    package let routerWeight: Double?
    /// The features that fire, strongest first; ties by ascending number.
    package let firings: [Firing]
}
