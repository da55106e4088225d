import Synchronization

/// Delays all threads of a client once an endpoint has told one of them to wait.
final class RetryGate: Sendable {
    /// A wait, numbered so that a thread which has served it does not serve it again.
    struct Wait {
        let number: Int
        let seconds: Double
    }

    private struct State {
        var number = 0
        var until = ContinuousClock.now
    }

    private let state = Mutex(State())

    /// Closes the gate for some seconds from now; the wait to serve. A longer wait that another thread was told of
    /// meanwhile, and this one has not served, is served instead.
    func close(for seconds: Double, after served: Int) -> Wait {
        state.withLock { state in
            let now = ContinuousClock.now
            if state.number > served, state.until > now + .seconds(seconds) {
                return Wait(number: state.number, seconds: (state.until - now) / .seconds(1))
            }
            state.number += 1
            state.until = now + .seconds(seconds)
            return Wait(number: state.number, seconds: seconds)
        }
    }

    /// The remaining wait of a thread that has served the waits up to `served`; nil if none.
    func wait(after served: Int) -> Wait? {
        state.withLock { state in
            let left = (state.until - ContinuousClock.now) / .seconds(1)
            return state.number > served && left > 0 ? Wait(number: state.number, seconds: left) : nil
        }
    }
}
