import Synchronization

/// Sessions that no thread uses at the moment, kept for their open connections.
final class HTTPSessionPool: Sendable {
    private let idle = Mutex<[UncheckedSession]>([])

    /// Runs `body` with a session of its own.
    func withSession<Result>(_ body: (HTTPSession) throws(ChatFailure) -> Result) throws(ChatFailure) -> Result {
        let session = idle.withLock { $0.popLast() } ?? UncheckedSession(session: HTTPSession())
        defer { idle.withLock { $0.append(session) } }
        return try body(session.session)
    }
}

/// A session on its way between threads; the pool hands it to one at a time.
private struct UncheckedSession: @unchecked Sendable {
    let session: HTTPSession
}
