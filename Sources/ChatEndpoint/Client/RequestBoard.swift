import Foundation

/// Shared queue of one batch: threads take requests from it and leave results.
final class RequestBoard: @unchecked Sendable {
    private let condition = NSCondition()
    // All below is guarded by the condition's lock.
    private let count: Int
    private let vanguard: Int
    private var failures: FailureStreak
    private var nextIndex = 0
    private var running = 0
    private var arrivals: [(Int, Result<Exchange, ChatFailure>)] = []
    private var arrivalCount = 0
    private var handledCount = 0
    private var hasProved = false
    private var stopped = false
    private var brokenOff = false
    private var stopReason: ChatFailure?

    /// - Parameters:
    ///   - count: requests.
    ///   - vanguard: how many of them are sent before the caller has found one answer useful.
    ///   - isTrusted: whether the endpoint is known to answer such requests.
    init(count: Int, vanguard: Int, isTrusted: Bool) {
        self.count = count
        self.vanguard = vanguard
        failures = FailureStreak(isTrusted: isTrusted)
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
        condition.lock()
        defer { condition.unlock() }
        return body()
    }

    /// Whether no more requests are to start.
    var isStopped: Bool { locked { stopped } }

    /// Whether running requests are to be aborted.
    var isBrokenOff: Bool { locked { brokenOff } }

    /// The first failure that stopped the batch.
    var failure: ChatFailure? { locked { stopReason } }

    /// Whether some requests have no result.
    var isIncomplete: Bool { locked { arrivalCount < count } }

    func begin(threads: Int) {
        locked { running = threads }
    }

    /// A thread has finished.
    func end() {
        locked {
            running -= 1
            condition.broadcast()
        }
    }

    /// The next request to send; nil when there is none. Beyond the vanguard this blocks until one answer is useful
    /// or all of the vanguard have been handled.
    func next(cancelled: () -> Bool) -> Int? {
        locked {
            while !stopped, nextIndex < count, nextIndex >= vanguard, !hasProved, handledCount < vanguard {
                _ = condition.wait(until: Date(timeIntervalSinceNow: 0.1))
                if cancelled() { return nil }
            }
            guard !stopped, nextIndex < count else { return nil }
            nextIndex += 1
            return nextIndex - 1
        }
    }

    func arrived(_ index: Int, _ result: Result<Exchange, ChatFailure>) {
        locked {
            arrivals.append((index, result))
            arrivalCount += 1
            if case .success = result { failures.end() }
            condition.broadcast()
        }
    }

    /// The caller has handled a result.
    func handled(isOfUse: Bool) {
        locked {
            handledCount += 1
            if isOfUse { hasProved = true }
            condition.broadcast()
        }
    }

    /// Notes the failure of one request; returns whether the others are likely to fail too.
    func isHopeless(_ failure: ChatFailure) -> Bool {
        locked { failures.isHopeless(failure) }
    }

    func stop(_ failure: ChatFailure?, breaksOff: Bool) {
        locked {
            if breaksOff { brokenOff = true }
            if !stopped { stopReason = failure }
            stopped = true
            condition.broadcast()
        }
    }

    /// Waits for the next result; nil when all threads have ended and all results were taken.
    func take() -> (Int, Result<Exchange, ChatFailure>)? {
        locked {
            while arrivals.isEmpty, running > 0 { condition.wait() }
            return arrivals.isEmpty ? nil : arrivals.removeFirst()
        }
    }
}
