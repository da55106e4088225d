/// What fires on one token of a text, at one layer.
public struct TokenFirings: Sendable, Equatable {
    /// A feature, and how strongly it fires.
    public struct Firing: Sendable, Equatable {
        /// The feature.
        public let featureIndex: Int
        /// Above 0.
        public let activation: Float
    }

    /// The token's place in the text, from 0.
    public let position: Int
    /// Its text.
    public let token: String
    /// The decoder layer it was read at; nil where all layers were read at once.
    public let layer: Int?
    /// The router's weight of that layer; nil without a router.
    public let routerWeight: Double?
    /// What fires, the strongest first; equal ones by rising number.
    public let firings: [Firing]
}
