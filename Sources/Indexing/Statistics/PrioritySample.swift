import FeatureScoring
import RandomNumbers

/// A uniform sample of the windows in which a feature fires, each with its strongest firing, independent of
/// their order and of the division of the stream.
///
/// Every firing has a pseudorandom priority computed from the text of its window; the lowest are the sample (bottom-k
/// sampling, Cohen and Kaplan 2007). Since a priority does not depend on the rest of the stream, samples of parts merge
/// into the sample of the whole, and a repeated text neither enters twice nor is more likely to enter. Of the
/// firings with one window, those of the passage with the lowest key represent all, and among them the strongest.
///
/// Some texts may have to be left out at the end, because they are shown elsewhere: ``byPriority(most:without:)``. To
/// let the next firing with the same window step in, the sample keeps for each window the two best from
/// different passages.
package struct PrioritySample<Payload: Sendable>: Sendable {
    /// Varies the sample of a stream.
    package let seed: UInt64
    /// The feature whose firings are sampled; it varies the positions drawn.
    package let featureIndex: Int

    @usableFromInline var heap: BoundedHeap<Entry>

    /// A firing ranked by its priority, in the group of its window.
    @usableFromInline
    struct Ranked: Sendable {
        @usableFromInline let priority: UInt64
        @usableFromInline let firing: Firing<Payload>

        @inlinable
        init(priority: UInt64, firing: Firing<Payload>) {
            self.priority = priority
            self.firing = firing
        }

        @inlinable
        func ranks(before other: Ranked) -> Bool {
            if priority != other.priority { return priority < other.priority }
            return other.ranks(behind: firing.place, firing.activation)
        }

        /// Whether a firing of the same priority ranks before this one.
        @inlinable
        func ranks(behind place: FiringPlace, _ activation: Float) -> Bool {
            guard place.window == firing.place.window, place.passage == firing.place.passage else {
                return place.precedes(firing.place)
            }
            return activation != firing.activation ? activation > firing.activation : place.precedes(firing.place)
        }
    }

    /// The best firing with a window.
    @usableFromInline
    struct Entry: RankedEntry {
        @usableFromInline let best: Ranked
        /// The best from another passage, if there is one.
        @usableFromInline let next: [Ranked]

        @inlinable
        init(best: Ranked, next: [Ranked] = []) {
            self.best = best
            self.next = next
        }

        @inlinable var group: UInt64 { best.firing.place.window }

        /// Whether a firing with this window would be the best, or the best from another passage.
        @inlinable
        func takes(_ place: FiringPlace, _ activation: Float) -> Bool {
            if best.ranks(behind: place, activation) { return true }
            guard place.passage != best.firing.place.passage else { return false }
            return next.isEmpty || next[0].ranks(behind: place, activation)
        }

        @inlinable
        func ranks(before other: Entry) -> Bool { best.ranks(before: other.best) }

        @inlinable
        func united(with other: Entry) -> Entry {
            let isBehind = other.best.ranks(before: best)
            let (first, rest) = isBehind ? (other.best, best) : (best, other.best)
            var second: Ranked?
            func consider(_ candidate: Ranked) {
                guard candidate.firing.place.passage != first.firing.place.passage else { return }
                if let known = second, !candidate.ranks(before: known) { return }
                second = candidate
            }
            consider(rest)
            for candidate in next { consider(candidate) }
            for candidate in other.next { consider(candidate) }
            return Entry(best: first, next: second.map { [$0] } ?? [])
        }
    }

    /// Makes an empty sample.
    ///
    /// - Parameters:
    ///   - capacity: the size of the sample, not negative.
    ///   - seed: draws different samples of the same stream.
    ///   - featureIndex: the feature whose firings are sampled.
    package init(capacity: Int, seed: UInt64, featureIndex: Int) {
        self.seed = seed
        self.featureIndex = featureIndex
        heap = BoundedHeap(capacity: capacity)
    }

    /// The number of firings held.
    package var count: Int { heap.count }

    /// The priority of a firing; lower ones are sampled first.
    ///
    /// - Parameter window: computed from the window's tokens (``FiringPlace/window``).
    @inlinable
    package func priority(window: UInt64) -> UInt64 {
        SplitMix64.hash(seed: seed, UInt64(bitPattern: Int64(featureIndex)), window, 0)
    }

    /// Whether a firing would enter the sample: checked before its payload is collected.
    @inlinable
    package func accepts(window: UInt64) -> Bool {
        guard heap.capacity > 0 else { return false }
        // Called for every firing, so the entry is inspected in place.
        guard heap.isFull else { return true }
        return priority(window: window) <= heap.entries[0].best.priority
    }

    /// Whether a firing with an accepted window would change the sample: checked before its payload is
    /// collected, since the firings at a segment's ends share their windows.
    @inlinable
    package func takes(_ place: FiringPlace, activation: Float) -> Bool {
        for entry in heap.entries.indices where heap.entries[entry].group == place.window {
            return heap.entries[entry].takes(place, activation)
        }
        return true
    }

    /// Adds one firing.
    @inlinable
    package mutating func offer(_ firing: Firing<Payload>) {
        heap.offer(Entry(best: Ranked(priority: priority(window: firing.place.window), firing: firing)))
    }

    /// Adds the sample of another part of the stream.
    ///
    /// - Precondition: the other sample is of the same feature under the same seed.
    package mutating func merge(_ other: PrioritySample) {
        precondition(seed == other.seed && featureIndex == other.featureIndex, "samples of different things")
        heap.merge(other.heap)
    }

    /// The firings of the sample by priority: every prefix is a uniform sample too.
    package var byPriority: [Firing<Payload>] { heap.sorted.map(\.best.firing) }

    /// The firings of the lowest priority, without those whose text is shown elsewhere.
    ///
    /// - most: the most firings returned.
    ///   - most: how many at most.
    ///   - shown: firings whose windows, in a passage of the same tokens, are left out: no two with the same window.
    /// - Precondition: the capacity is at least `most` and the number of `shown` together.
    package func byPriority(most: Int, without shown: [Firing<Payload>]) -> [Firing<Payload>] {
        precondition(heap.capacity >= most + shown.count || most == 0, "a sample too small to leave something out")
        let passages = Dictionary(
            shown.map { ($0.place.window, $0.place.passage) }, uniquingKeysWith: { first, _ in first })
        let left = heap.entries.compactMap { entry in
            ([entry.best] + entry.next).first { passages[$0.firing.place.window] != $0.firing.place.passage }
        }
        return left.sorted { $0.ranks(before: $1) }.prefix(most).map(\.firing)
    }
}
