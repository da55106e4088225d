import LinearAlgebra
package import SparseCoding

/// Activations from files: safetensors shards with `activations [tokens, layers, d]`, `token_ids [tokens]`,
/// `document_ids [tokens]`, `is_prefix [tokens]` and a header that names the decoder layers.
///
/// Rows come in order, or in one seeded permutation of all rows for every pass over the data. A batch that reaches the
/// end continues at the start.
package final class ShardActivationStream: ActivationStream {
    /// The decoder layers of every row, ascending.
    package let layers: [Int]
    /// Width of the residual stream.
    package let dModel: Int
    /// Rows used in training.
    package var count: Int { order.count }

    private let shards: [ActivationShard]
    private var order: [(shard: Int32, row: Int32)] = []
    private var place = 0
    private var passes = 0
    private var generator: CounterGenerator?

    /// Opens shards as one stream.
    ///
    /// - Parameters:
    ///   - shards: the files, in order; all with the same layers and width.
    ///   - includesPrefix: whether tokens put before a text take part: BOS, whose activations are
    ///   - includesPrefix: whether rows of what the model was fed before a text take part: BOS, whose activations are
    ///     outliers. A BOS that a text contains always does; see `ActivationShard.isPrefix`.
    /// - Throws: `TrainingError.mismatch` for shards that differ, `.noTokens` if no rows are left.
    package init(shards: [ActivationShard], shuffleSeed: UInt64?, includesPrefix: Bool = true) throws {
        guard let first = shards.first else { throw TrainingError.noTokens(source: "no activation files") }
        self.shards = shards
        layers = first.layers
        dModel = first.dModel
        for shard in shards.dropFirst() { try shard.checkAgreement(with: first) }
        for (index, shard) in shards.enumerated() {
            for (row, isPrefix) in shard.isPrefix.enumerated() where includesPrefix || !isPrefix {
                order.append((Int32(index), Int32(row)))
            }
        }
        guard !order.isEmpty else { throw TrainingError.noTokens(source: first.path) }
        generator = shuffleSeed.map { CounterGenerator(seed: $0, stream: "shards") }
        generator?.shuffle(&order)
    }

    /// Fills the batch to its capacity with the next rows, starting over at the end.
    ///
    /// - Throws: `SafetensorsError` where a row cannot be read.
    package func fill(_ batch: ActivationBatch) throws {
        // Read together, by file, so that rows that are not in memory are fetched in parallel.
        var wanted: [[(row: Int, destination: UnsafeMutablePointer<Float>)]] = Array(repeating: [], count: shards.count)
        for row in 0..<batch.capacity {
            let (shard, source) = order[place]
            wanted[Int(shard)].append((row: Int(source), destination: batch.values.row(row)))
            batch.tokenIDs[row] = shards[Int(shard)].tokenIDs[Int(source)]
            batch.documentIDs[row] = shards[Int(shard)].documentIDs[Int(source)]
            batch.drawKeys[row] = ActivationBatch.drawKey(document: Int(shard), position: Int(source))
            place += 1
            if place == order.count { startOver() }
        }
        for (shard, rows) in zip(shards, wanted) where !rows.isEmpty { try shard.read(rows) }
        batch.count = batch.capacity
    }

    private func startOver() {
        place = 0
        passes += 1
        generator?.shuffle(&order)
    }

    /// The pass and the position in it.
    package var position: StreamPosition {
        StreamPosition(numbers: ["passes": UInt64(passes), "place": UInt64(place)])
    }

    /// Resumes at a position; the passes' permutations are drawn again.
    ///
    /// - Throws: `TrainingError.mismatch` if the files have no such position.
    package func resume(at position: StreamPosition) throws {
        let place = try position.number("place", upTo: order.count - 1)
        // A pass is at least one batch; no run makes that many.
        let passes = try position.number("passes", upTo: 1 << 40)
        precondition(self.passes == 0 && self.place == 0, "a stream is resumed before it is read from")
        while self.passes < passes { startOver() }
        self.place = place
    }
}
