/// What fires on one token of a text, at one layer.
package struct TokenFirings: Sendable, Equatable {
    /// A feature, and how strongly it fires.
    package struct Firing: Sendable, Equatable {
        /// The feature.
        package let featureIndex: Int
        /// Above 0.
        package let activation: Float
    }

    /// The token's place in the text, from 0.
    package let position: Int
    /// Its text.
    package let token: String
    /// The decoder layer it was read at; nil where all layers were read at once.
    package let layer: Int?
    /// The router's weight of that layer; nil without a router.
    package let routerWeight: Double?
    /// What fires, the strongest first; equal ones by rising number.
    package let firings: [Firing]
}
