import Dispatch
import Synchronization

/// Lets a few requests be worked on at once, or one alone, on threads of its own; the others wait for their turn.
final class WorkGate: Sendable {
    private let count: Int
    private let seconds: Double
    private let places: DispatchSemaphore
    private let threads: WorkThreads
    /// Held by who wants all places, so that no two have some of them each.
    private let alone = Mutex(())

    /// - Parameters:
    ///   - count: requests at once.
    ///   - seconds: how long one waits.
    init(count: Int, seconds: Double) {
        (self.count, self.seconds) = (count, seconds)
        places = DispatchSemaphore(value: count)
        threads = WorkThreads(count: count)
    }

    /// Runs `work` when a place is free.
    ///
    /// - Returns: nil if none was in time.
    func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) -> Value? {
        guard take(1, within: seconds) else { return nil }
        defer { places.signal() }
        return threads.run(work)
    }

    /// Runs `work` while nothing else is worked on. Until it is so, nothing new is begun.
    ///
    /// - Parameter seconds: how long it waits.
    /// - Returns: nil if that was not so in time.
    func runAlone<Value: Sendable>(seconds: Double, _ work: @escaping @Sendable () -> Value) -> Value? {
        alone.withLock { _ in
            guard take(count, within: seconds) else { return nil }
            defer { for _ in 0..<count { places.signal() } }
            return threads.run(work)
        }
    }

    private func take(_ wanted: Int, within seconds: Double) -> Bool {
        let deadline = DispatchTime.now() + seconds
        for taken in 0..<wanted where places.wait(timeout: deadline) == .timedOut {
            for _ in 0..<taken { places.signal() }
            return false
        }
        return true
    }
}
