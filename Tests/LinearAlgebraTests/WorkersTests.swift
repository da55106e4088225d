import Glibc
import LinearAlgebra
import RandomNumbers
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
                for _ in 0..<500 { word = SplitMix64.mixed(word &+ 1) }
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

    /// Also with helpers that come late, since the first loops are short.
    @Test func loopsOfThreadsThatStayTogetherFollowEachOther() {
        let sizes = [1, 5, 0, 2, 1, 1, 64, 3, 2, 2, 2, 7]
        for threads in 1...3 {
            for round in 0..<400 {
                let calls = Mutex<[[Int]]>(sizes.map { Array(repeating: 0, count: $0) })
                let early = Atomic<Int>(0)
                let started = Atomic<Int>(0)
                Workers(threads: threads).together { workers in
                    started.add(1, ordering: .relaxed)
                    for (loop, tiles) in sizes.enumerated() {
                        workers.forEach(tiles: tiles) { tile, worker in
                            let isRight = calls.withLock { calls in
                                calls[loop][tile] += 1
                                return worker < threads && calls[..<loop].allSatisfy { $0.allSatisfy { $0 == 1 } }
                            }
                            if !isRight { early.add(1, ordering: .relaxed) }
                        }
                    }
                }
                #expect(calls.withLock { $0 } == sizes.map { Array(repeating: 1, count: $0) })
                #expect(early.load(ordering: .relaxed) == 0)
                #expect((1...threads).contains(started.load(ordering: .relaxed)))
                if round % 50 == 0 { usleep(200) }
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

    /// As if the system refused to start threads; on one processor helpers sleep at once, with many they wait awake.
    @Test("Loops run with the threads available", arguments: [0, 1, 2, 100], [1, 100])
    func loopsMakeDoWithTheThreadsThereAre(most: Int, processors: Int) {
        let threads = WorkerThreads(most: most, processors: processors)
        let seen = Mutex<Set<pthread_t>>([])
        for workers in [1, 2, 3, 8] {
            for _ in 0..<200 {
                let calls = Mutex(Array(repeating: 0, count: workers))
                let next = Atomic<Int>(0)
                let done = Mutex(Array(repeating: 0, count: 20))
                threads.run(workers: workers) { worker in
                    calls.withLock { $0[worker] += 1 }
                    seen.withLock { _ = $0.insert(pthread_self()) }
                    while true {
                        let tile = next.add(1, ordering: .relaxed).oldValue
                        guard tile < 20 else { return }
                        done.withLock { $0[tile] += 1 }
                    }
                }
                #expect(calls.withLock { $0 }.allSatisfy { $0 <= 1 })
                #expect(calls.withLock { $0[0] } == 1)
                #expect(done.withLock { $0 } == Array(repeating: 1, count: 20))
            }
        }
        #expect(seen.withLock { $0.count } <= most + 1)
    }

    /// Pauses between loops are shorter and longer than a helper waits awake.
    @Test("Every tile of loops that follow each other runs once", arguments: [1, 100])
    func loopsOneAfterAnother(processors: Int) {
        let threads = WorkerThreads(most: 2, processors: processors)
        for round in 0..<3000 {
            let next = Atomic<Int>(0)
            let sum = Atomic<Int>(0)
            threads.run(workers: 3) { _ in
                while true {
                    let tile = next.add(1, ordering: .relaxed).oldValue
                    guard tile < 5 else { return }
                    sum.add(1 << (4 * tile), ordering: .relaxed)
                }
            }
            #expect(sum.load(ordering: .relaxed) == 0x11111)
            if round % 100 == 0 { usleep(useconds_t(round / 100 * 7)) }
        }
    }

    @Test("Nested loops and loops of several threads end") func loopsWithinLoopsAndOfSeveralThreadsEnd() async {
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let sum = Atomic<Int>(0)
                    for _ in 0..<50 {
                        Workers(threads: 3).forEach(tiles: 7) { _, _ in
                            Workers(threads: 2).forEach(tiles: 5) { tile, _ in sum.add(tile, ordering: .relaxed) }
                        }
                    }
                    return sum.load(ordering: .relaxed)
                }
            }
            for await sum in group { #expect(sum == 50 * 7 * 10) }
        }
    }
}
