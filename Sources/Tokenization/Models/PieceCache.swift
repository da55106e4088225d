/// Caches the tokens of pieces in bounded memory.
///
/// Every piece has one slot, which the latest piece takes; there are no chains. When the bytes and ids
/// reach their bound, the cache is cleared.
struct PieceCache {
    private struct Entry {
        var keyStart: UInt32
        var idStart: UInt32
        /// 0 for an unused slot.
        var keyCount: UInt16
        var idCount: UInt16
    }

    private static let entryCount = 1 << 16
    /// Longer pieces are rare and not cached.
    static let maximumKeyCount = 128
    /// Bytes at which the cache is cleared; a piece has no more ids than bytes.
    private static let maximumByteCount = 1 << 22

    private var entries = [Entry](
        repeating: Entry(keyStart: 0, idStart: 0, keyCount: 0, idCount: 0), count: Self.entryCount
    )
    private var keys: [UInt8] = []
    private var ids: [TokenID] = []

    /// Appends the tokens of a piece if they are cached.
    func append(_ piece: UnsafeBufferPointer<UInt8>, to target: inout [TokenID]) -> Bool {
        guard piece.count <= Self.maximumKeyCount else { return false }
        let entry = entries[Self.index(of: piece)]
        guard Int(entry.keyCount) == piece.count else { return false }
        let start = Int(entry.keyStart)
        for offset in 0..<piece.count where keys[start + offset] != piece[offset] { return false }
        let idStart = Int(entry.idStart)
        for index in idStart..<idStart + Int(entry.idCount) { target.append(ids[index]) }
        return true
    }

    /// Caches the tokens of a piece.
    ///
    /// - Precondition: it has at most `maximumKeyCount` bytes.
    mutating func remember(_ piece: UnsafeBufferPointer<UInt8>, tokens: ArraySlice<TokenID>) {
        guard !piece.isEmpty else { return }
        if keys.count + piece.count > Self.maximumByteCount {
            self = PieceCache()
        }
        entries[Self.index(of: piece)] = Entry(
            keyStart: UInt32(keys.count), idStart: UInt32(ids.count), keyCount: UInt16(piece.count),
            idCount: UInt16(tokens.count)
        )
        keys.append(contentsOf: piece)
        ids.append(contentsOf: tokens)
    }

    /// The slot of a piece: a hash of eight bytes at a time, multiplied and folded.
    private static func index(of piece: UnsafeBufferPointer<UInt8>) -> Int {
        let bytes = UnsafeRawBufferPointer(piece)
        var hash = UInt64(truncatingIfNeeded: piece.count)
        var offset = 0
        while offset + 8 <= bytes.count {
            hash = (hash ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 32
            offset += 8
        }

        var rest: UInt64 = 0
        while offset < bytes.count {
            rest = rest << 8 | UInt64(bytes[offset])
            offset += 1
        }
        hash = (hash ^ rest) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: hash >> 32) & (entryCount - 1)
    }
}
