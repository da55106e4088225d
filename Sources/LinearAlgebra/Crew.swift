import Synchronization

/// Loops that some threads go through together, one after another (`Workers.together`). A thread takes tiles of a loop as
/// long as there are any, and goes on when all are done. One that comes late finds the loops before done, and passes them.
final class Crew: Sendable {
    /// The number of the loop under way, counted from 0, and in the lower half the number of its next tile.
    fileprivate let next = Atomic<UInt64>(0)
    /// Keeps what is written at every tile away from what the others look at.
    private let gap = InlineArray<16, UInt64>(repeating: 0)
    /// Tiles of the loop that are done.
    fileprivate let done = Atomic<Int>(0)
    private let end = InlineArray<8, UInt64>(repeating: 0)

    /// Calls `body` with what the calling thread needs.
    func withMember(_ worker: Int, _ body: (CrewMember) -> Void) {
        var loop: UInt64 = 0
        withUnsafeMutablePointer(to: &loop) {
            body(CrewMember(crew: Unmanaged.passUnretained(self), worker: worker, loop: $0))
        }
    }
}

/// One thread's part in a crew. A value without owners: threads that count references to one object hold each other up.
struct CrewMember: @unchecked Sendable {
    let crew: Unmanaged<Crew>
    let worker: Int
    /// The number of the thread's next loop.
    let loop: UnsafeMutablePointer<UInt64>

    /// Runs tiles of the next loop until all are done.
    @inline(__always)
    func forEach(tiles: Int, _ body: (_ tile: Int, _ worker: Int) -> Void) {
        guard tiles > 0 else { return }
        let loop = loop.pointee
        self.loop.pointee += 1
        crew._withUnsafeGuaranteedRef { crew in
            var seen = crew.next.load(ordering: .acquiring)
            while seen >> 32 == loop, Int(seen & 0xFFFF_FFFF) < tiles {
                let taken = crew.next.weakCompareExchange(
                    expected: seen, desired: seen + 1, successOrdering: .acquiring, failureOrdering: .acquiring)
                guard taken.exchanged else {
                    seen = taken.original
                    continue
                }
                body(Int(seen & 0xFFFF_FFFF), worker)
                if crew.done.add(1, ordering: .acquiringAndReleasing).newValue == tiles {
                    crew.done.store(0, ordering: .relaxed)
                    crew.next.store((loop + 1) << 32, ordering: .releasing)
                    return
                }
                seen = crew.next.load(ordering: .acquiring)
            }
            guard seen >> 32 == loop else { return }
            while !BriefWait().until({ crew.next.load(ordering: .acquiring) >> 32 != loop }) {}
        }
    }
}
