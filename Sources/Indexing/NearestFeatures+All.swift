import ActivationPipeline
import CKernels
package import FeatureCatalog
import LinearAlgebra
import Synchronization

extension NearestFeatures {
    /// Computes the neighbours of all features and delivers them in the order of the features, up to 1024 at a time,
    /// each feature's by rank: descending cosines, ties by ascending number, never the feature itself.
    ///
    /// The table of all products is symmetric, so tiles below its diagonal are not computed: each pair's cosine is
    /// offered to both features. Memory: 8 · count + 4 bytes for each feature and 1 MiB for each worker.
    ///
    /// - Parameters:
    ///   - count: neighbours of a feature at most.
    ///   - cancelled: asked now and then; once true, nothing is delivered.
    ///   - progress: told how many of how many products of tiles are done.
    ///   - deliver: takes the neighbours of some features.
    /// - Throws: `WorkflowError.interrupted`, and what `deliver` throws.
    /// - Complexity: features² · D / 2.
    /// - Precondition: `count` is above 0.
    package func compute(
        count: Int = 10, cancelled: () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }, deliver: ([FeatureNeighbor]) throws -> Void
    ) throws {
        let m = decoder.rows
        let lists = RankedLists(rows: m, count: count)
        let tiles = (m + NearestFeatures.tile - 1) / NearestFeatures.tile
        let locks = (0..<tiles).map { _ in ListsLock() }
        let scratch = (0..<workers.count).map { _ in
            Matrix(scratchRows: NearestFeatures.tile, columns: NearestFeatures.tile)
        }

        let pairs = TilePairs(tiles: tiles)
        for first in stride(from: 0, to: pairs.count, by: NearestFeatures.stretch) {
            if cancelled() { throw WorkflowError.interrupted("the features' neighbours were not finished") }
            let some = min(NearestFeatures.stretch, pairs.count - first)
            workers.forEach(tiles: some) { index, worker in
                let (a, b) = pairs[first + index]
                rank(a, b, lists, locks, scratch[worker])
            }
            progress(first + some, pairs.count)
        }
        for first in stride(from: 0, to: m, by: NearestFeatures.delivery) {
            try deliver(
                (first..<min(first + NearestFeatures.delivery, m)).flatMap { feature in
                    lists.entries(of: feature).enumerated().map { rank, entry in
                        FeatureNeighbor(
                            featureIndex: feature, rank: rank, neighborIndex: entry.number,
                            cosine: NearestFeatures.clamped(entry.value))
                    }
                })
        }
    }

    /// Multiplies two tiles of rows, the first one not behind the second, and offers the pairs to both.
    private func rank(_ a: Int, _ b: Int, _ lists: RankedLists, _ locks: [ListsLock], _ products: Matrix) {
        let d = decoder.columns
        let (firstRow, firstColumn) = (a * NearestFeatures.tile, b * NearestFeatures.tile)
        let rows = min(NearestFeatures.tile, decoder.rows - firstRow)
        let columns = min(NearestFeatures.tile, decoder.rows - firstColumn)
        multiply(
            rows: rows, columns: columns, inner: d, decoder.row(firstRow), stride: d, decoder.row(firstColumn),
            stride: d, transposeB: true, into: products.pointer, stride: NearestFeatures.tile)
        // The lower number first, so that two workers never deadlock.
        locks[a].holding {
            (a == b ? ListsLock() : locks[b]).holding {
                rsae_rank_pairs(
                    products.pointer, Int64(NearestFeatures.tile), Int64(rows), Int64(columns), Int64(firstRow),
                    Int64(firstColumn), inverseNorms.pointer, lists.rankings)
            }
        }
    }
}

/// A lock for the lists of a tile of rows.
private final class ListsLock: Sendable {
    private let mutex = Mutex<Void>(())

    func holding(_ body: () -> Void) {
        mutex.withLock { _ in body() }
    }
}

/// The pairs (a, b), a ≤ b, of tiles, row by row of the upper triangle.
private struct TilePairs: Sendable {
    let tiles: Int

    var count: Int { tiles * (tiles + 1) / 2 }

    subscript(index: Int) -> (a: Int, b: Int) {
        // Rows of the triangle grow from its end, where the pair counted from the end lies in row r for
        // r(r + 1) / 2 ≤ place < (r + 1)(r + 2) / 2.
        let place = count - 1 - index
        var row = Int(((8 * Double(place) + 1).squareRoot() - 1) / 2)
        while row * (row + 1) / 2 > place { row -= 1 }
        while (row + 1) * (row + 2) / 2 <= place { row += 1 }
        return (tiles - 1 - row, tiles - 1 - (place - row * (row + 1) / 2))
    }
}
