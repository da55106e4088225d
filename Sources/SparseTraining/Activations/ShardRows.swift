import LinearAlgebra
package import SparseCoding

/// The rows of activation files in the files' order, without those of tokens put before a text.
package final class ShardRows: ActivationRows {
    /// The decoder layers that are delivered, some or all of the files'.
    package let layers: [Int]
    /// Width of the residual stream.
    package let dModel: Int

    private let shards: [ActivationShard]
    private let includesPrefix: Bool
    /// The layers' places among the files'; nil for all of them.
    private let places: [Int]?
    /// The next row among those of all files, and how often they were read to the end.
    private var next = 0
    private var passes = 0
    /// The first row of each file among those of all files, and at the end their number.
    private let starts: [Int]

    /// Opens shards as one sequence of rows.
    ///
    /// - Parameters:
    ///   - shards: the files, in order; all with the same layers and width.
    ///   - layers: some of the files', ascending; nil for all of them.
    ///   - includesPrefix: whether rows of tokens put before a text are delivered; see `ActivationShard.isPrefix`.
    /// - Throws: `TrainingError.mismatch` for shards that differ, `.noTokens` if no rows are left.
    package init(shards: [ActivationShard], layers asked: [Int]? = nil, includesPrefix: Bool) throws(TrainingError) {
        guard let first = shards.first else { throw .noTokens(source: "no activation files") }
        for shard in shards.dropFirst() { try shard.checkAgreement(with: first) }
        self.shards = shards
        self.includesPrefix = includesPrefix
        let layers = asked ?? first.layers
        self.layers = layers
        places = layers == first.layers ? nil : layers.compactMap { first.layers.firstIndex(of: $0) }
        precondition(places.map { $0.count == layers.count } ?? true, "the files have the layers asked for")
        dModel = first.dModel
        starts = shards.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.isPrefix.count) }
        if !includesPrefix, shards.allSatisfy({ $0.isPrefix.allSatisfy(\.self) }) {
            throw .noTokens(source: first.path)
        }
    }

    private var total: Int { starts[shards.count] }

    /// The pass and the row.
    package var numbers: [String: UInt64] { ["passes": UInt64(passes), "row": UInt64(next)] }

    /// Appends the next rows.
    ///
    /// - Throws: `SafetensorsError` where a row cannot be read.
    package func append(_ count: Int, to batch: ActivationBatch) throws -> Int {
        precondition(batch.count + count <= batch.capacity, "the batch has no room")
        var appended = 0
        // Read together, by file, so that rows that are not in memory are fetched in parallel.
        while appended < count, let place = shards.indices.first(where: { next < starts[$0 + 1] }) {
            let shard = shards[place]
            var wanted: [(row: Int, destination: UnsafeMutablePointer<Float>)] = []
            while appended + wanted.count < count, next < starts[place + 1] {
                let row = next - starts[place]
                next += 1
                if shard.isPrefix[row] && !includesPrefix { continue }
                let target = batch.count + wanted.count
                wanted.append((row: row, destination: batch.values.row(target)))
                batch.tokenIDs[target] = shard.tokenIDs[row]
                batch.documentIDs[target] = shard.documentIDs[row]
                batch.drawKeys[target] = ActivationBatch.drawKey(document: 0, position: starts[place] + row)
            }
            try read(wanted, from: shard)
            batch.count += wanted.count
            appended += wanted.count
        }
        return appended
    }

    private func read(
        _ rows: [(row: Int, destination: UnsafeMutablePointer<Float>)], from shard: ActivationShard
    ) throws {
        guard let places else { return try shard.read(rows) }
        for (row, destination) in rows {
            for (index, place) in places.enumerated() {
                try shard.read(row: row, layer: place, into: destination + index * dModel)
            }
        }
    }

    /// Begins the next pass.
    package func startOver() {
        precondition(next == total, "a pass ends with the last row")
        next = 0
        passes += 1
    }

    /// Resumes at a pass and a row.
    ///
    /// - Throws: `TrainingError.mismatch` if the files have no such position.
    package func resume(at position: StreamPosition) throws(TrainingError) {
        next = try position.number("row", upTo: total)
        passes = try position.number("passes", upTo: 1 << 40)
    }
}
