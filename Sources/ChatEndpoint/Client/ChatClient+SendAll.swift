import Foundation

extension ChatClient {
    /// Sends many requests concurrently and delivers each result on the calling thread as it arrives, one after
    /// another, so that the caller can write it into a database before the next.
    ///
    /// A failure of one request is a result like any other. The batch stops, and running requests are aborted,
    /// when the client is cancelled, and when a failure concerns all requests: a redirect, 401, 402, 404, 405, no
    /// library, a rate limit that asks for a longer wait than the policy allows, the limit of requests; where nothing has
    /// been answered yet: 403, an unreachable endpoint, or three failures of one kind; three requests in a row
    /// that could not be sent; twenty failures in a row. Such a failure is thrown instead of delivered; results that
    /// have arrived are delivered first. Aborted and unsent requests are not delivered.
    ///
    /// The batch also stops when `each` throws, but running requests are awaited and delivered, since they
    /// are paid for; further errors of `each` are dropped, and the first is thrown.
    ///
    /// - Parameters:
    ///   - requests: what to ask, started in this order.
    ///   - concurrency: requests that run at once, each on a thread of its own; at least 1.
    ///   - vanguard: how many requests are sent before one answer has been useful, or all of these have been handled;
    ///     at least 1.
    ///   - isTrusted: whether the endpoint is known to answer such requests.
    ///   - each: receives the request's index in `requests` and its result; returns whether that was useful.
    /// - Throws: what `each` throws; `ChatFailure.cancelled`; the failure that concerns all requests.
    package func sendAll(
        _ requests: [ChatRequest], concurrency: Int, vanguard: Int, isTrusted: Bool = false,
        each: (Int, Result<Exchange, ChatFailure>) throws -> Bool
    ) throws {
        let board = RequestBoard(count: requests.count, vanguard: max(vanguard, 1), isTrusted: isTrusted)
        let gate = RetryGate()
        let cancelled: @Sendable () -> Bool = { [cancelled] in board.isBrokenOff || cancelled() }
        let stopped: @Sendable () -> Bool = { board.isStopped || cancelled() }
        let threads = min(max(concurrency, 1), requests.count)
        board.begin(threads: threads)
        for _ in 0..<threads {
            Thread.detachNewThread { [self] in
                while !stopped(), let index = board.next(cancelled: self.cancelled) {
                    do throws(ChatFailure) {
                        let exchange = try send(requests[index], gate: gate, cancelled: cancelled, stopped: stopped)
                        board.arrived(index, .success(exchange))
                    } catch {
                        if error == .cancelled { break }
                        if case .limitReached = error {
                            // Running requests of other threads are within the limit.
                            board.stop(error, breaksOff: false)
                        } else if asksToBeLeftAlone(error) || board.isHopeless(error) {
                            board.stop(error, breaksOff: true)
                        } else {
                            board.arrived(index, .failure(error))
                        }
                    }
                }
                board.end()
            }
        }
        do {
            while let (index, result) = board.take() { board.handled(isOfUse: try each(index, result)) }
        } catch {
            board.stop(nil, breaksOff: false)
            // No thread outlives the call: the caller may close what `cancelled` looks at.
            while let (index, result) = board.take() { _ = try? each(index, result) }
            throw error
        }
        if let failure = board.failure { throw failure }
        if self.cancelled(), board.isIncomplete { throw ChatFailure.cancelled }
    }

    /// Sends many requests as above, every answer counting as useful.
    ///
    /// - Throws: as above.
    package func sendAll(
        _ requests: [ChatRequest], concurrency: Int, each: (Int, Result<Exchange, ChatFailure>) throws -> Void
    ) throws {
        try sendAll(requests, concurrency: concurrency, vanguard: requests.count) { index, result in
            try each(index, result)
            return true
        }
    }

    private func asksToBeLeftAlone(_ failure: ChatFailure) -> Bool {
        if case .rateLimited(let seconds?) = failure { seconds > policy.maximumRetryAfter } else { false }
    }
}
