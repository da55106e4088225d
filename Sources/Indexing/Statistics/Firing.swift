/// One firing of a feature: where, how strongly, and whatever else is to be remembered of it.
package struct Firing<Payload: Sendable>: Sendable {
    /// Where it is.
    package let place: FiringPlace
    /// The feature's activation there.
    package let activation: Float
    /// What else is remembered, such as the layer and the router's weight.
    package let payload: Payload

    /// Describes a firing.
    @inlinable
    package init(place: FiringPlace, activation: Float, payload: Payload) {
        self.place = place
        self.activation = activation
        self.payload = payload
    }

    /// The order of contexts: stronger ones first, equally strong ones by place.
    @inlinable
    package func isStronger(than other: Firing) -> Bool {
        activation != other.activation ? activation > other.activation : place.precedes(other.place)
    }
}

extension Firing where Payload == Void {
    /// Describes a firing of which nothing else is remembered.
    @inlinable
    package init(place: FiringPlace, activation: Float) {
        self.init(place: place, activation: activation, payload: ())
    }
}
