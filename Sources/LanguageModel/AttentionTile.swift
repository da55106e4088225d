/// Some neighbouring queries of one sequence, whose attention is computed together: small enough that their scores stay
/// in the cache, large enough for the products to be worth it.
struct AttentionTile: Sendable {
    /// Where the sequence begins in the batch.
    let sequenceStart: Int
    /// The first query, counted from the sequence's beginning.
    let firstQuery: Int
    /// How many queries.
    let queries: Int

    /// The keys that any of the queries sees, counted from the sequence's beginning.
    func keys(window: Int?) -> Range<Int> {
        let first = window.map { max(0, firstQuery - $0 + 1) } ?? 0
        return first..<firstQuery + queries
    }

    /// Cuts the sequences of a batch into tiles of at most `queries` queries. The cuts depend on each sequence alone.
    static func tiles(of batch: TokenBatch, queries: Int) -> [AttentionTile] {
        var tiles: [AttentionTile] = []
        for index in 0..<batch.sequenceCount {
            let sequence = batch.range(ofSequence: index)
            for first in stride(from: 0, to: sequence.count, by: queries) {
                tiles.append(
                    AttentionTile(
                        sequenceStart: sequence.lowerBound, firstQuery: first,
                        queries: min(queries, sequence.count - first)))
            }
        }
        return tiles
    }
}
