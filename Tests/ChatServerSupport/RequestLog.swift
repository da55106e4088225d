import Synchronization

/// The requests that a server received, and how many at once.
final class RequestLog: Sendable {
    private struct State {
        var requests: [ReceivedRequest] = []
        var inFlight = 0
        var maximumInFlight = 0
    }

    private let state = Mutex(State())

    var requests: [ReceivedRequest] { state.withLock { $0.requests } }
    var maximumInFlight: Int { state.withLock { $0.maximumInFlight } }

    /// Remembers a request; its number, counted from 1.
    func begin(_ request: ReceivedRequest) -> Int {
        state.withLock { state in
            state.requests.append(request)
            state.inFlight += 1
            state.maximumInFlight = max(state.maximumInFlight, state.inFlight)
            return state.requests.count
        }
    }

    func end() {
        state.withLock { $0.inFlight -= 1 }
    }
}
