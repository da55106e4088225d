/// One firing of a feature: its position, its activation, and a payload.
package struct Firing<Payload: Sendable>: Sendable {
    /// Its position.
    package let place: FiringPlace
    /// The feature's activation there.
    package let activation: Float
    /// Further data, such as the layer and the router's weight.
    package let payload: Payload

    /// Describes a firing.
    @inlinable
    package init(place: FiringPlace, activation: Float, payload: Payload) {
        self.place = place
        self.activation = activation
        self.payload = payload
    }

    /// The order of contexts: stronger ones first, ties by position.
    @inlinable
    package func isStronger(than other: Firing) -> Bool {
        activation != other.activation ? activation > other.activation : place.precedes(other.place)
    }
}

extension Firing where Payload == Void {
    /// Makes a firing without payload.
    @inlinable
    package init(place: FiringPlace, activation: Float) {
        self.init(place: place, activation: activation, payload: ())
    }
}
