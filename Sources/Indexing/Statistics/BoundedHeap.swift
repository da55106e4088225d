/// An element with a strict order and a group; of each group one entry is held.
@usableFromInline
protocol RankedEntry: Sendable {
    /// Entries of the same group count once.
    var group: UInt64 { get }
    /// Whether this entry ranks before the other: a strict order in which only the same entry is equal.
    func ranks(before other: Self) -> Bool
    /// The entry held when both this and another of its group have come: it ranks as the better of the two.
    func united(with other: Self) -> Self
}

/// The best entries of a stream, one of every group, up to a capacity. The result does not depend on the order of the
/// stream: a rejected entry ranks behind enough entries of other groups, and those can only improve.
@usableFromInline
struct BoundedHeap<Entry: RankedEntry>: Sendable {
    /// The most entries held.
    @usableFromInline let capacity: Int
    /// The entries as a binary heap: each ranks before its parent, so the worst is at the front.
    @usableFromInline var entries: [Entry] = []

    /// Makes an empty heap.
    ///
    /// - Precondition: `capacity` is not negative.
    @usableFromInline
    init(capacity: Int) {
        precondition(capacity >= 0, "a heap for \(capacity) entries")
        self.capacity = capacity
    }

    /// The number of entries held.
    @inlinable var count: Int { entries.count }

    /// Whether an entry has to be evicted for another to enter; the first of `entries` is evicted.
    @inlinable var isFull: Bool { entries.count == capacity }

    /// The entries, best first.
    @usableFromInline var sorted: [Entry] { entries.sorted { $0.ranks(before: $1) } }

    /// Adds an entry if it is among the best.
    ///
    /// - Complexity: O(1) for a rejected entry, else O(capacity).
    @inlinable
    mutating func offer(_ entry: Entry) {
        if entries.count == capacity {
            guard capacity > 0, entry.ranks(before: entries[0]) else { return }
        }
        insert(entry)
    }

    @inlinable
    mutating func insert(_ entry: Entry) {
        if let held = entries.firstIndex(where: { $0.group == entry.group }) {
            entries[held] = entries[held].united(with: entry)
            // It can only have improved.
            sink(from: held)
        } else if entries.count < capacity {
            entries.append(entry)
            var child = entries.count - 1
            while child > 0, entries[(child - 1) / 2].ranks(before: entries[child]) {
                entries.swapAt(child, (child - 1) / 2)
                child = (child - 1) / 2
            }
        } else {
            entries[0] = entry
            sink(from: 0)
        }
    }

    /// Moves an entry away from the front until all below it rank before it.
    @inlinable
    mutating func sink(from start: Int) {
        var parent = start
        while true {
            var worst = parent
            for child in (2 * parent + 1)...(2 * parent + 2)
            where child < entries.count && entries[worst].ranks(before: entries[child]) {
                worst = child
            }
            if worst == parent { return }
            entries.swapAt(parent, worst)
            parent = worst
        }
    }

    /// Adds all entries of another heap.
    mutating func merge(_ other: BoundedHeap) {
        for entry in other.entries { offer(entry) }
    }
}
