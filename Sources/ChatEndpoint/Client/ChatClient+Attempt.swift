import Foundation
import StrictJSON

/// How one attempt ended.
struct AttemptOutcome {
    let result: Result<Data, ChatFailure>
    /// What the endpoint asks to wait, in seconds.
    var retryAfter: Double?
    /// Whether the endpoint has had too much of us, and not of this request alone.
    var asksAllToWait = false
}

extension ChatClient {
    /// Posts a body once.
    func attempt(_ body: Data, cancelled: @Sendable () -> Bool) -> AttemptOutcome {
        do throws(ChatFailure) {
            // An empty Expect header keeps libcurl from asking leave before longer bodies.
            var headers = ["Content-Type: application/json", "Accept: application/json", "Expect:"]
            if let key { headers.append(key.header) }
            let post = HTTPPost(
                url: address.url, headers: headers, body: body, timeout: timeout, maximumReplyBytes: maximumReplyBytes,
                // A proxy on the way to this very machine would only be somebody else who reads the key.
                bypassesProxy: address.isLoopback)
            let reply = try sessions.withSession { session throws(ChatFailure) in
                try session.post(post, cancelled: cancelled)
            }
            guard (200...299).contains(reply.status) else { return refusal(reply) }
            guard let key else { return AttemptOutcome(result: .success(reply.body)) }
            guard let body = key.redacted(reply.body) else {
                throw .malformedReply(reason: "it repeats the key, so it cannot be kept")
            }
            return AttemptOutcome(result: .success(body))
        } catch {
            if case .connection(let reason) = error, let key {
                return AttemptOutcome(result: .failure(.connection(reason: key.redacted(reason))))
            }
            return AttemptOutcome(result: .failure(error))
        }
    }

    private func refusal(_ reply: HTTPReply) -> AttemptOutcome {
        let retryAfter = RetryAfter.seconds(reply.retryAfter, now: Date())
        let failure: ChatFailure =
            reply.status == 429
            ? .rateLimited(retryAfter: retryAfter)
            : .http(status: reply.status, message: message(reply.body))
        return AttemptOutcome(
            result: .failure(failure), retryAfter: retryAfter,
            asksAllToWait: reply.status == 429 || retryAfter != nil)
    }

    /// What a refusal says: its `error.message` where it has one.
    private func message(_ body: Data) -> String {
        var said = String(decoding: body, as: UTF8.self)
        if let root = try? JSONParser.parse(body), let error = root["error"] {
            switch (error, error["message"]) {
            case (.string(let text), _), (_, .string(let text)?): said = text
            default: break
            }
        }
        // Before it is cut, since half a key would not be found.
        let redacted = key?.redacted(said) ?? said
        return redacted.isEmpty ? "it says nothing more" : excerpt(redacted)
    }
}
