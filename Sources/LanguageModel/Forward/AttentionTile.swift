/// Neighbouring queries of one sequence, whose attention is computed together: few enough that their scores stay
/// in the cache, many enough for efficient products.
struct AttentionTile: Sendable {
    /// The row of the first query.
    let firstQueryRow: Int
    /// The slot of the sequence's first key.
    let firstKeySlot: Int
    /// The first query, counted from the sequence's beginning.
    let firstQuery: Int
    /// How many queries.
    let queries: Int

    /// The keys visible to any of the queries, counted from the sequence's beginning, and a few before them: they begin
    /// with a multiple of the vectors' width, so that a key is in the same lane of every sum, whatever the tile.
    func keys(window: Int?) -> Range<Int> {
        let first = window.map { max(0, firstQuery - $0 + 1) } ?? 0
        return first / 16 * 16..<firstQuery + queries
    }

    /// Keys of a block: their scores for a tile's queries stay in the second-level cache. A multiple of the blocks of sums
    /// in products.
    static let keyBlock = 512

    /// Cuts keys into blocks at the multiples of `keyBlock`, counted from the sequence's beginning, so that what belongs
    /// together does not depend on the tile.
    static func forEachBlock(of keys: Range<Int>, _ body: (Range<Int>) -> Void) {
        var first = keys.lowerBound
        while first < keys.upperBound {
            let end = min(first / keyBlock * keyBlock + keyBlock, keys.upperBound)
            body(first..<end)
            first = end
        }
    }

    /// Cuts the sequences of a batch into tiles of at most `queries` queries. The cuts depend on each sequence alone.
    ///
    /// - Returns: the tiles, and the slots that the keys of all sequences take.
    static func tiles(of batch: TokenBatch, queries: Int) -> (tiles: [AttentionTile], slots: Int) {
        var tiles: [AttentionTile] = []
        var slot = 0
        for index in 0..<batch.sequenceCount {
            let sequence = batch.range(ofSequence: index)
            for first in stride(from: 0, to: sequence.count, by: queries) {
                tiles.append(
                    AttentionTile(
                        firstQueryRow: sequence.lowerBound + first, firstKeySlot: slot, firstQuery: first,
                        queries: min(queries, sequence.count - first)))
            }
            slot += AttentionMemory.aligned(sequence.count)
        }
        return (tiles, slot)
    }

    /// Cuts tokens that continue a sequence of `past` tokens at the multiples of `queries`, counted from its beginning; its
    /// keys begin at the first slot.
    static func tiles(continuing past: Int, by tokens: Int, queries: Int) -> [AttentionTile] {
        var tiles: [AttentionTile] = []
        var first = past
        while first < past + tokens {
            let end = min(first / queries * queries + queries, past + tokens)
            tiles.append(
                AttentionTile(
                    firstQueryRow: first - past, firstKeySlot: 0, firstQuery: first, queries: end - first))
            first = end
        }
        return tiles
    }
}
