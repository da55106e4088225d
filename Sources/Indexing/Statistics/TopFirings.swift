/// The strongest firings of a feature, for each text only the strongest; ties by
/// position.
package struct TopFirings<Payload: Sendable>: Sendable {
    @usableFromInline var heap: BoundedHeap<Entry>

    /// A firing ranked by its activation, in the group of its window.
    @usableFromInline
    struct Entry: RankedEntry {
        @usableFromInline let firing: Firing<Payload>

        @inlinable
        init(firing: Firing<Payload>) {
            self.firing = firing
        }

        @inlinable var group: UInt64 { firing.place.window }

        @inlinable
        func ranks(before other: Entry) -> Bool { firing.isStronger(than: other.firing) }

        @inlinable
        func united(with other: Entry) -> Entry { other.ranks(before: self) ? other : self }
    }

    /// Makes an empty list.
    ///
    /// - Parameter capacity: the most firings held, not negative.
    package init(capacity: Int) {
        heap = BoundedHeap(capacity: capacity)
    }

    /// The number of firings held.
    package var count: Int { heap.count }

    /// A firing weaker than this cannot enter; −∞ as long as there is room.
    @inlinable package var threshold: Float {
        if heap.capacity == 0 { return .infinity }
        return heap.isFull ? heap.entries[0].firing.activation : -.infinity
    }

    /// Whether a firing at or above the threshold would change the list: checked before its payload is collected.
    @inlinable
    package func takes(_ place: FiringPlace, activation: Float) -> Bool {
        for entry in heap.entries.indices where heap.entries[entry].group == place.window {
            let held = heap.entries[entry].firing
            return activation != held.activation ? activation > held.activation : place.precedes(held.place)
        }
        return true
    }

    /// Adds one firing. A NaN is ignored; a text is held only once.
    @inlinable
    package mutating func offer(_ firing: Firing<Payload>) {
        guard firing.activation >= threshold else { return }
        heap.offer(Entry(firing: firing))
    }

    /// Adds the firings of another part of the stream.
    package mutating func merge(_ other: TopFirings) {
        heap.merge(other.heap)
    }

    /// The firings, strongest first.
    package var sorted: [Firing<Payload>] { heap.sorted.map(\.firing) }
}
