import Foundation

/// Asks a chat model behind any endpoint that speaks OpenAI's chat-completions protocol.
///
/// Calls block the calling thread. A client may be used by many threads at once; connections are kept open between
/// requests. The key goes into the Authorization header and nowhere else: no error, description or dump holds it, and in
/// replies it is replaced by `(key)`, unless it is shorter than 8 characters and therefore a placeholder.
package final class ChatClient: Sendable {
    /// The longest reply that is read unless the caller says otherwise: 8 MiB.
    package static let defaultMaximumReplyBytes = 8 << 20

    let address: EndpointAddress
    let key: EndpointKey?
    let policy: RetryPolicy
    let timeout: Double
    let maximumReplyBytes: Int
    let cancelled: @Sendable () -> Bool
    let sleep: (@Sendable (Double) -> Void)?
    let sessions = HTTPSessionPool()
    let allowance: RequestAllowance

    /// The address that requests are posted to.
    package var url: String { address.url }
    /// The protocol's base address in its one spelling: without `/chat/completions` and without a slash at the end.
    package var baseURL: String { address.baseURL }
    /// Requests that have gone out.
    package var sentCount: Int { allowance.sentCount }

    /// Sets up a client; nothing is sent.
    ///
    /// - Parameters:
    ///   - endpoint: the protocol's base address, such as `http://127.0.0.1:8080/v1`; `/chat/completions` is appended
    ///     unless it is there.
    ///   - key: sent as a bearer token; not over plain http, unless to this machine.
    ///   - policy: how often to try, and how long to wait.
    ///   - timeout: of one attempt, in seconds.
    ///   - maximumReplyBytes: a longer reply is cut off.
    ///   - maximumRequests: sent in all, retries included; nil for no limit.
    ///   - cancelled: asked about ten times a second, from any thread; true cancels everything.
    ///   - sleep: waits a number of seconds; nil for a wait that ends on cancellation.
    /// - Throws: `ChatConfigurationError` where one of them is unusable.
    package init(
        endpoint: String, key: String? = nil, policy: RetryPolicy = RetryPolicy(), timeout: Double = 120,
        maximumReplyBytes: Int = ChatClient.defaultMaximumReplyBytes, maximumRequests: Int? = nil,
        cancelled: @escaping @Sendable () -> Bool = { false },
        sleep: (@Sendable (Double) -> Void)? = nil
    ) throws(ChatConfigurationError) {
        address = try EndpointAddress(endpoint)
        self.key = if let key { try EndpointKey(key) } else { nil }
        if key != nil, !address.isEncrypted, !address.isLoopback { throw .keyWithoutEncryption(host: address.host) }
        try policy.validate()
        guard timeout > 0, timeout.isFinite else {
            throw .invalidSetting(name: "timeout", value: "\(timeout)", expected: "more than 0 seconds")
        }
        guard maximumReplyBytes > 0 else {
            throw .invalidSetting(name: "maximumReplyBytes", value: "\(maximumReplyBytes)", expected: "1 or more")
        }
        self.policy = policy
        self.timeout = timeout
        self.maximumReplyBytes = maximumReplyBytes
        allowance = RequestAllowance(limit: maximumRequests)
        self.cancelled = cancelled
        self.sleep = sleep
    }

    /// Sends a request and waits for its reply, trying again as the policy says after 408, 409, 429, 5xx, failed
    /// connections and timeouts. A malformed reply is not retried: it is in the exchange, to be archived.
    package func send(_ request: ChatRequest) throws(ChatFailure) -> Exchange {
        try send(request, gate: RetryGate(), cancelled: cancelled, stopped: cancelled)
    }

    /// - Parameters:
    ///   - cancelled: aborts a running request.
    ///   - stopped: keeps new requests from starting.
    func send(
        _ request: ChatRequest, gate: RetryGate, cancelled: @Sendable () -> Bool, stopped: @Sendable () -> Bool
    ) throws(ChatFailure) -> Exchange {
        let body = try request.body()
        var served = 0
        var attempt = 1
        while true {
            while let wait = gate.wait(after: served) {
                try pause(wait.seconds, cancelled: stopped)
                served = wait.number
            }
            if stopped() { throw .cancelled }
            guard allowance.take() else { throw .limitReached(requests: allowance.limit ?? 0) }
            let outcome = self.attempt(body, cancelled: cancelled)
            if case .success(let replyBody) = outcome.result {
                let reply: Result<ChatReply, ChatFailure>
                do { reply = .success(try ChatReply(parsing: replyBody)) } catch { reply = .failure(error) }
                return Exchange(
                    requestBody: body, replyBody: replyBody, reply: reply, usage: ChatUsage(in: replyBody),
                    attempts: attempt)
            }
            guard case .failure(let failure) = outcome.result else { continue }
            guard failure.isRetryable, attempt < policy.attempts,
                outcome.retryAfter ?? 0 <= policy.maximumRetryAfter
            else { throw failure }
            // The endpoint's wait is a minimum; if it asks for 0 s, the client's own wait still grows.
            let delay = max(outcome.retryAfter ?? 0, policy.delay(after: attempt, of: body))
            if outcome.asksAllToWait {
                let wait = gate.close(for: delay, after: served)
                try pause(wait.seconds, cancelled: stopped)
                served = wait.number
            } else {
                try pause(delay, cancelled: stopped)
            }
            attempt += 1
        }
    }

    private func pause(_ seconds: Double, cancelled: @Sendable () -> Bool) throws(ChatFailure) {
        if let sleep {
            sleep(seconds)
        } else {
            let end = ContinuousClock.now + .seconds(seconds)
            while !cancelled() {
                let left = (end - ContinuousClock.now) / .seconds(1)
                if left <= 0 { break }
                Thread.sleep(forTimeInterval: min(left, 0.05))
            }
        }
        if cancelled() { throw .cancelled }
    }
}
