/// A hash table from byte strings to token ids, all of its keys in one block of memory.
///
/// The hash is seeded randomly in every process, so that no file can be made to collide.
struct ByteStringTable: Sendable {
    private var keys: [UInt8] = []
    /// Entry `i` has the key from `starts[i]` up to `starts[i + 1]`.
    private var starts: [UInt32] = [0]
    private var ids: [TokenID] = []
    /// Entry indices, -1 where free. The count is a power of two and at least twice that of the entries.
    private var slots: [Int32]

    /// - Parameter capacity: how many entries will be inserted at most.
    init(capacity: Int) {
        var slotCount = 16
        while slotCount < 2 * capacity { slotCount *= 2 }
        slots = [Int32](repeating: -1, count: slotCount)
        starts.reserveCapacity(capacity + 1)
        ids.reserveCapacity(capacity)
    }

    /// Adds an entry.
    ///
    /// - Returns: false if the key was there already; nothing changes then.
    mutating func insert(_ key: [UInt8], id: TokenID) -> Bool {
        precondition(2 * ids.count < slots.count, "more entries than the table was made for")
        let (slot, entry) = key.withUnsafeBufferPointer { find($0) }
        guard entry < 0 else { return false }
        slots[slot] = Int32(ids.count)
        keys.append(contentsOf: key)
        starts.append(UInt32(keys.count))
        ids.append(id)
        return true
    }

    /// The id of a key, nil if there is none.
    func id(of key: UnsafeBufferPointer<UInt8>) -> TokenID? {
        let entry = find(key).entry
        return entry < 0 ? nil : ids[Int(entry)]
    }

    /// The slot that holds a key, or the free one where it belongs.
    private func find(_ key: UnsafeBufferPointer<UInt8>) -> (slot: Int, entry: Int32) {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(key))
        let mask = slots.count - 1
        var slot = hasher.finalize() & mask
        while true {
            let entry = slots[slot]
            if entry < 0 { return (slot, entry) }
            let range = Int(starts[Int(entry)])..<Int(starts[Int(entry) + 1])
            if range.count == key.count, keys[range].elementsEqual(key) { return (slot, entry) }
            slot = (slot + 1) & mask
        }
    }
}
