import Synchronization

/// How many requests a client may send, counted as they go out.
final class RequestAllowance: Sendable {
    /// In all; nil for any number.
    let limit: Int?
    private let sent = Mutex(0)

    init(limit: Int?) {
        self.limit = limit
    }

    /// Requests that have gone out.
    var sentCount: Int { sent.withLock { $0 } }

    /// Counts one more, unless there are none left.
    func take() -> Bool {
        sent.withLock { sent in
            if let limit, sent >= limit { return false }
            sent += 1
            return true
        }
    }
}
