import Foundation

/// Where the threads of one batch take their requests from and leave their results.
final class RequestBoard: @unchecked Sendable {
    private let condition = NSCondition()
    // All below is guarded by the condition's lock.
    private let count: Int
    private var nextIndex = 0
    private var running = 0
    private var arrivals: [(Int, Result<Exchange, ChatFailure>)] = []
    private var arrivalCount = 0
    private var stopped = false
    private var brokenOff = false
    private var refusals: [ChatFailure] = []
    private var successCount = 0
    private var stopReason: ChatFailure?

    init(count: Int) {
        self.count = count
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
        condition.lock()
        defer { condition.unlock() }
        return body()
    }

    /// Whether nothing more is to be started.
    var isStopped: Bool { locked { stopped } }

    /// Whether what is under way is to be broken off.
    var isBrokenOff: Bool { locked { brokenOff } }

    /// The first failure that stopped the batch.
    var failure: ChatFailure? { locked { stopReason } }

    /// Whether some requests have no result.
    var isIncomplete: Bool { locked { arrivalCount < count } }

    func begin(threads: Int) {
        locked { running = threads }
    }

    /// A thread has no more to do.
    func end() {
        locked {
            running -= 1
            condition.broadcast()
        }
    }

    /// The next request to send, nil when there is none.
    func next() -> Int? {
        locked {
            guard !stopped, nextIndex < count else { return nil }
            nextIndex += 1
            return nextIndex - 1
        }
    }

    func arrived(_ index: Int, _ result: Result<Exchange, ChatFailure>) {
        locked {
            arrivals.append((index, result))
            arrivalCount += 1
            if case .success = result { successCount += 1 }
            condition.broadcast()
        }
    }

    /// Notes a refusal of one request by 400 or 422; whether it is the third of its kind with no success, so that others
    /// will hardly fare better.
    func isRefusedAgain(_ failure: ChatFailure) -> Bool {
        guard case .http(let status, _) = failure, [400, 422].contains(status) else { return false }
        return locked {
            refusals.append(failure)
            return successCount == 0 && refusals.count >= 3 && Set(refusals.map(\.description)).count == 1
        }
    }

    func stop(_ failure: ChatFailure?, breaksOff: Bool) {
        locked {
            if breaksOff { brokenOff = true }
            if !stopped { stopReason = failure }
            stopped = true
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
