import CKernels
import Glibc

/// A thread that waits awake for what is about to happen, for a bounded time: first it only looks, then it also lets
/// others have the processor between two looks. A system that is busy may give it back milliseconds later, so that comes
/// second; the first part is so short that nobody misses it.
struct BriefWait {
    /// Nanoseconds at most.
    private var most = Self.longest

    private static let longest: UInt64 = 50_000
    private static let shortest: UInt64 = 1000
    /// Nanoseconds of looking only.
    private static let alone: UInt64 = 20_000
    /// Looks between two readings of the clock, about half a microsecond.
    private static let looks = 16

    /// Whether it came true in time.
    func until(_ isTrue: () -> Bool) -> Bool {
        if isTrue() { return true }
        let start = Self.now()
        var passed: UInt64 = 0
        while passed < most {
            for _ in 0..<Self.looks {
                rsae_pause()
                if isTrue() { return true }
            }
            if passed > Self.alone { sched_yield() }
            passed = Self.now() - start
        }
        return isTrue()
    }

    /// Waits half as long next time if this time it was in vain, else as long as may be.
    mutating func adapt(wasWorthIt: Bool) {
        most = wasWorthIt ? Self.longest : max(most / 2, Self.shortest)
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
