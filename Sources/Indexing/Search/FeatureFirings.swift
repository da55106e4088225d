/// A feature's firings on a text.
package struct FeatureFirings: Sendable, Equatable {
    /// The feature.
    package let featureIndex: Int
    /// Its strongest activation in the text.
    package fileprivate(set) var activation: Float
    /// The position in the text, from 0, of the first token with that activation.
    package fileprivate(set) var position: Int
    /// That token's text.
    package fileprivate(set) var token: String
    /// The decoder layer that token was read from; nil if all layers were read at once.
    package fileprivate(set) var layer: Int?
    /// The number of tokens on which it fires.
    package fileprivate(set) var tokenCount: Int
    private var lastPosition: Int
}

extension FeatureFirings {
    init(_ firing: TokenFirings.Firing, at place: TokenFirings) {
        featureIndex = firing.featureIndex
        activation = firing.activation
        position = place.position
        token = place.token
        layer = place.layer
        tokenCount = 1
        lastPosition = place.position
    }

    /// Adds a firing; the same token may fire at several layers.
    mutating func add(_ firing: TokenFirings.Firing, at place: TokenFirings) {
        if place.position != lastPosition { tokenCount += 1 }
        lastPosition = place.position
        guard firing.activation > activation else { return }
        activation = firing.activation
        position = place.position
        token = place.token
        layer = place.layer
    }
}
