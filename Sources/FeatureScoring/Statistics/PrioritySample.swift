/// A uniform sample of a feature's firings that depends on neither their order nor how the stream was divided.
///
/// Every firing has a pseudorandom priority made from its place; the lowest ones are the sample (bottom-k sampling,
/// Cohen and Kaplan 2007). Since a priority does not depend on the rest of the stream, samples of parts merge into the
/// sample of the whole, and firings that come twice count once.
public struct PrioritySample<Payload: Sendable>: Sendable {
    /// Draws different samples of the same stream.
    public let seed: UInt64
    /// The feature whose firings are sampled, so that features do not share places.
    public let featureIndex: Int

    @usableFromInline var heap: BoundedHeap<Entry>

    /// A firing ranked by its priority.
    @usableFromInline
    struct Entry: RankedEntry {
        @usableFromInline let priority: UInt64
        @usableFromInline let firing: Firing<Payload>

        @inlinable
        init(priority: UInt64, firing: Firing<Payload>) {
            self.priority = priority
            self.firing = firing
        }

        @inlinable
        func ranks(before other: Entry) -> Bool {
            if priority != other.priority { return priority < other.priority }
            return (firing.document, firing.position) < (other.firing.document, other.firing.position)
        }
    }

    /// Makes an empty sample.
    ///
    /// - Parameters:
    ///   - capacity: the size of the sample, not negative.
    ///   - seed: draws different samples of the same stream.
    ///   - featureIndex: the feature whose firings are sampled.
    public init(capacity: Int, seed: UInt64, featureIndex: Int) {
        self.seed = seed
        self.featureIndex = featureIndex
        heap = BoundedHeap(capacity: capacity)
    }

    /// The number of firings held.
    public var count: Int { heap.count }

    /// The priority of the firing at a place; lower ones are sampled first.
    ///
    /// - Parameter key: the document's own number, made from its content: whatever corpus it is part of, and wherever in
    ///   it, its firings have the same priorities.
    @inlinable
    public func priority(key: UInt64, position: Int32) -> UInt64 {
        SplitMix64.hash(
            seed: seed, UInt64(bitPattern: Int64(featureIndex)), key, UInt64(bitPattern: Int64(position)))
    }

    /// Whether the firing at a place would enter the sample: worth asking before its payload is gathered.
    @inlinable
    public func accepts(key: UInt64, position: Int32) -> Bool {
        guard heap.capacity > 0 else { return false }
        guard let worst = heap.worst else { return true }
        return priority(key: key, position: position) <= worst.priority
    }

    /// Takes in one firing of the document with a key.
    @inlinable
    public mutating func offer(_ firing: Firing<Payload>, key: UInt64) {
        heap.offer(Entry(priority: priority(key: key, position: firing.position), firing: firing))
    }

    /// Takes in what another part of the stream left.
    ///
    /// - Precondition: the other sample is of the same feature under the same seed.
    public mutating func merge(_ other: PrioritySample) {
        precondition(seed == other.seed && featureIndex == other.featureIndex, "samples of different things")
        heap.merge(other.heap)
    }

    /// The firings of the sample by priority: every prefix is a uniform sample too.
    public var byPriority: [Firing<Payload>] { heap.sorted.map(\.firing) }

    /// The firings of the sample, strongest first, equally strong ones by document, then position.
    public var byActivation: [Firing<Payload>] {
        byPriority.sorted {
            if $0.activation != $1.activation { return $0.activation > $1.activation }
            return ($0.document, $0.position) < ($1.document, $1.position)
        }
    }
}
