/// One firing of a feature: where, how strongly, and whatever else is to be remembered of it.
public struct Firing<Payload: Sendable>: Sendable {
    /// The document that holds the token.
    public let document: Int64
    /// The token's position in the document.
    public let position: Int32
    /// The feature's activation there.
    public let activation: Float
    /// What else is remembered, such as the layer and the router's weight.
    public let payload: Payload

    /// Describes a firing.
    @inlinable
    public init(document: Int64, position: Int32, activation: Float, payload: Payload) {
        self.document = document
        self.position = position
        self.activation = activation
        self.payload = payload
    }
}

extension Firing where Payload == Void {
    /// Describes a firing of which nothing else is remembered.
    @inlinable
    public init(document: Int64, position: Int32, activation: Float) {
        self.init(document: document, position: position, activation: activation, payload: ())
    }
}
