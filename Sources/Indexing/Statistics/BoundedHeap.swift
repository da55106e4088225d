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
            rise(from: entries.count - 1)
        } else {
            entries[0] = entry
            sink(from: 0)
        }
    }

    /// Moves an entry towards the front until its parent ranks behind it no longer.
    @inlinable
    mutating func rise(from start: Int) {
        entries.withUnsafeMutableBufferPointer { entries in
            guard let first = entries.baseAddress else { return }
            // The others move into the place that it left, without being copied.
            let entry = (first + start).move()
            var place = start
            while place > 0, first[(place - 1) / 2].ranks(before: entry) {
                (first + place).moveInitialize(from: first + (place - 1) / 2, count: 1)
                place = (place - 1) / 2
            }
            (first + place).initialize(to: entry)
        }
    }

    /// Moves an entry away from the front until all below it rank before it.
    @inlinable
    mutating func sink(from start: Int) {
        entries.withUnsafeMutableBufferPointer { entries in
            guard let first = entries.baseAddress else { return }
            let entry = (first + start).move()
            var place = start
            while 2 * place + 1 < entries.count {
                var worst = 2 * place + 1
                if worst + 1 < entries.count, first[worst].ranks(before: first[worst + 1]) { worst += 1 }
                guard entry.ranks(before: first[worst]) else { break }
                (first + place).moveInitialize(from: first + worst, count: 1)
                place = worst
            }
            (first + place).initialize(to: entry)
        }
    }

    /// Adds all entries of another heap.
    mutating func merge(_ other: BoundedHeap) {
        for entry in other.entries { offer(entry) }
    }
}
