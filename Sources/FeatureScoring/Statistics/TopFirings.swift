/// The strongest firings of a feature; equally strong ones by document, then position.
public struct TopFirings<Payload: Sendable>: Sendable {
    @usableFromInline var heap: BoundedHeap<Entry>

    /// A firing ranked by its activation.
    @usableFromInline
    struct Entry: RankedEntry {
        @usableFromInline let firing: Firing<Payload>

        @inlinable
        init(firing: Firing<Payload>) {
            self.firing = firing
        }

        @inlinable
        func ranks(before other: Entry) -> Bool {
            if firing.activation != other.firing.activation { return firing.activation > other.firing.activation }
            return (firing.document, firing.position) < (other.firing.document, other.firing.position)
        }
    }

    /// Makes an empty list.
    ///
    /// - Parameter capacity: the most firings held, not negative.
    public init(capacity: Int) {
        heap = BoundedHeap(capacity: capacity)
    }

    /// The number of firings held.
    public var count: Int { heap.count }

    /// A firing weaker than this cannot enter; −∞ as long as there is room.
    @inlinable public var threshold: Float {
        if heap.capacity == 0 { return .infinity }
        return heap.worst?.firing.activation ?? -.infinity
    }

    /// Takes in one firing. A NaN is ignored; a firing that is held already is not taken in again.
    @inlinable
    public mutating func offer(_ firing: Firing<Payload>) {
        guard firing.activation >= threshold else { return }
        heap.offer(Entry(firing: firing))
    }

    /// Takes in what another part of the stream left.
    public mutating func merge(_ other: TopFirings) {
        heap.merge(other.heap)
    }

    /// The firings, strongest first.
    public var sorted: [Firing<Payload>] { heap.sorted.map(\.firing) }
}
