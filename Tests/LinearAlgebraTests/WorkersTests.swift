import LinearAlgebra
import Synchronization
import Testing

@Suite struct WorkersTests {
    @Test func runsEveryTileOnce() {
        for threads in [1, 2, 3, 4, 5, 8, 16] {
            for tiles in [0, 1, 2, 3, 7, 64, 501] {
                let calls = Mutex(Array(repeating: 0, count: tiles))
                Workers(threads: threads).forEach(tiles: tiles) { tile, _ in calls.withLock { $0[tile] += 1 } }
                #expect(calls.withLock { $0 } == Array(repeating: 1, count: tiles), "\(threads) threads")
            }
        }
    }

    @Test func workersAreNumberedAndNeverRunTwiceAtOnce() {
        for threads in [1, 2, 3, 8] {
            let busy = Mutex(Array(repeating: 0, count: threads))
            let clashes = Atomic<Int>(0)
            Workers(threads: threads).forEach(tiles: 300) { tile, worker in
                let before = busy.withLock { busy in
                    busy[worker] += 1
                    return busy[worker]
                }
                if before != 1 { clashes.add(1, ordering: .relaxed) }
                // Something to do, so that tiles do overlap where they can.
                var word = UInt64(tile)
                for _ in 0..<500 { word = CounterGenerator.mix(word &+ 1) }
                busy.withLock { $0[worker] -= word == 0 ? 2 : 1 }
            }
            #expect(clashes.load(ordering: .relaxed) == 0)
        }
    }

    @Test func rangesCoverEveryElementOnce() {
        for threads in [1, 3] {
            for elements in [0, 1, 5, 15, 16, 17, 100] {
                for tile in [1, 4, 16, 1000] {
                    let ranges = Mutex<[Range<Int>]>([])
                    Workers(threads: threads).forEach(elements, tile: tile) { range, _ in
                        ranges.withLock { $0.append(range) }
                    }
                    let sorted = ranges.withLock { $0 }.sorted { $0.lowerBound < $1.lowerBound }
                    #expect(sorted.flatMap(Array.init) == Array(0..<elements))
                    #expect(sorted.allSatisfy { $0.lowerBound % tile == 0 && !$0.isEmpty && $0.count <= tile })
                }
            }
        }
    }

    @Test func thereIsAlwaysAWorker() {
        #expect(Workers(threads: 0).count == 1)
        #expect(Workers(threads: -3).count == 1)
        #expect(Workers(threads: 7).count == 7)
        #expect(Workers().count >= 1)
        #expect(Workers().count == Workers.processors)
    }
}
