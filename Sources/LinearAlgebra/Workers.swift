import Synchronization

/// A fixed number of threads for parallel loops over tiles.
///
/// Results never depend on the number of threads: a loop is divided into tiles that depend on the problem
/// alone, each tile writes its own part of the result, and sums over tiles are taken by the caller in tile
/// order.
package struct Workers: Sendable {
    /// How many threads work at once, the calling one included; fewer where the system allows no more.
    package let count: Int

    /// Makes workers; `nil` means one for each processor that is online.
    package init(threads: Int? = nil) {
        count = max(1, threads ?? Workers.processors)
    }

    /// Runs `body(tile, worker)` once for every tile in `0..<tiles`; `worker` is in `0..<count` and no two calls with
    /// the same worker run at the same time, so it may index scratch space.
    package func forEach(tiles: Int, _ body: (_ tile: Int, _ worker: Int) -> Void) {
        guard tiles > 1, count > 1 else {
            for tile in 0..<tiles { body(tile, 0) }
            return
        }

        let next = Atomic<Int>(0)
        WorkerThreads.shared.run(workers: min(count, tiles)) { worker in
            while true {
                let tile = next.add(1, ordering: .relaxed).oldValue
                guard tile < tiles else { return }
                body(tile, worker)
            }
        }
    }

    /// Runs `body(range, worker)` over `0..<elements` cut into ranges of `tile` elements (the last may be shorter).
    package func forEach(_ elements: Int, tile: Int, _ body: (_ range: Range<Int>, _ worker: Int) -> Void) {
        let tiles = (elements + tile - 1) / tile
        forEach(tiles: tiles) { index, worker in
            body(index * tile..<min((index + 1) * tile, elements), worker)
        }
    }
}
