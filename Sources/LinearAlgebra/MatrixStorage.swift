/// Room for matrices that are read together, such as a model's weights: they lie one behind the other in large blocks of
/// huge pages. Products read all of them from one end to the other; in ordinary pages a third of that time would be spent
/// on looking up addresses.
///
/// Used by one thread at a time.
package final class MatrixStorage {
    /// Memory of some matrices, which keep it alive.
    final class Block: @unchecked Sendable {
        let start: UnsafeMutableRawPointer

        init(byteCount: Int) { start = AlignedMemory.allocate(byteCount: byteCount) }

        deinit { start.deallocate() }
    }

    private static let blockBytes = 1 << 24
    private var block: Block?
    private var used = 0

    /// Makes an empty storage.
    package init() {}

    /// The next part of a block, aligned to 64 bytes.
    func take(byteCount: Int) -> (start: UnsafeMutableRawPointer, block: Block) {
        let bytes = (byteCount + 63) / 64 * 64
        if let block, used + bytes <= Self.blockBytes {
            used += bytes
            return (block.start + used - bytes, block)
        }
        // A large matrix has a block of its own, and the one begun before stays in use.
        guard bytes <= Self.blockBytes / 4 else {
            let own = Block(byteCount: bytes)
            return (own.start, own)
        }
        let fresh = Block(byteCount: Self.blockBytes)
        (block, used) = (fresh, bytes)
        return (fresh.start, fresh)
    }
}
