import Synchronization

/// A fixed number of threads for parallel loops over tiles.
///
/// Results never depend on the number of threads: a loop is divided into tiles that depend on the problem
/// alone, each tile writes its own part of the result, and sums over tiles are taken by the caller in tile
/// order.
package struct Workers: Sendable {
    /// How many threads work at once, the calling one included; fewer where the system allows no more.
    package let count: Int
    /// The calling thread's part in loops that all threads go through, within `together`.
    private let crew: CrewMember?

    /// Makes workers; `nil` means one for each processor that is online.
    package init(threads: Int? = nil) {
        count = max(1, threads ?? Workers.processors)
        crew = nil
    }

    /// Whether these are workers within `together`, for which a loop costs little.
    package var isTogether: Bool { crew != nil }

    /// The number of the calling thread within `together`; 0 elsewhere.
    package var own: Int { crew?.worker ?? 0 }

    private init(count: Int, crew: CrewMember) {
        self.count = count
        self.crew = crew
    }

    /// Runs `body` on every thread at once, for loops that follow each other so closely that calling the threads to each of
    /// them would take longer than some.
    ///
    /// Every call of `body` has to make the same loops, with the workers it is given: these share out the tiles of each,
    /// and none goes on before all are done. What is between loops is done by every thread, some of them late, when others
    /// are already in later loops: it writes nothing that is shared, and what it reads of that it uses within its tiles
    /// only. Loops within tiles are made with other workers.
    ///
    /// With more threads than processors there is one call, with ordinary workers.
    package func together(_ body: (Workers) -> Void) {
        guard count > 1, count <= Workers.processors else { return body(self) }
        let crew = Crew()
        WorkerThreads.shared.run(workers: count) { worker in
            crew.withMember(worker) { body(Workers(count: count, crew: $0)) }
        }
    }

    /// Runs `body(tile, worker)` once for every tile in `0..<tiles`; `worker` is in `0..<count` and no two calls with
    /// the same worker run at the same time, so it may index scratch space.
    package func forEach(tiles: Int, _ body: (_ tile: Int, _ worker: Int) -> Void) {
        if let crew { return crew.forEach(tiles: tiles, body) }
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
