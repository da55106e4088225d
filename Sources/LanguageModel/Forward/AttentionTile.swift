/// Neighbouring queries of one sequence, whose attention is computed together: few enough that their scores stay
/// in the cache, many enough for efficient products.
struct AttentionTile: Sendable {
    /// The row of the first query.
    let firstQueryRow: Int
    /// The row of the sequence's first key.
    let firstKeyRow: Int
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

    /// Cuts the sequences of a batch into tiles of at most `queries` queries. The cuts depend on each sequence alone.
    static func tiles(of batch: TokenBatch, queries: Int) -> [AttentionTile] {
        var tiles: [AttentionTile] = []
        for index in 0..<batch.sequenceCount {
            let sequence = batch.range(ofSequence: index)
            for first in stride(from: 0, to: sequence.count, by: queries) {
                tiles.append(
                    AttentionTile(
                        firstQueryRow: sequence.lowerBound + first, firstKeyRow: sequence.lowerBound,
                        firstQuery: first, queries: min(queries, sequence.count - first)))
            }
        }
        return tiles
    }

    /// Cuts tokens that continue a sequence of `past` tokens; the sequence's keys lie in rows of their own.
    static func tiles(continuing past: Int, by tokens: Int, queries: Int) -> [AttentionTile] {
        stride(from: 0, to: tokens, by: queries).map { first in
            AttentionTile(
                firstQueryRow: first, firstKeyRow: 0, firstQuery: past + first,
                queries: min(queries, tokens - first))
        }
    }
}
