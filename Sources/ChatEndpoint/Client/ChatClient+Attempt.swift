import Foundation
import JSON

/// How one attempt ended.
struct AttemptOutcome {
    let result: Result<Data, ChatFailure>
    /// The wait that the endpoint asks for, in seconds.
    var retryAfter: Double?
    /// Whether the endpoint limits the whole client, not this request alone.
    var asksAllToWait = false
}

extension ChatClient {
    /// Posts a body once.
    func attempt(_ body: Data, cancelled: @Sendable () -> Bool) -> AttemptOutcome {
        do throws(ChatFailure) {
            // An empty Expect header keeps libcurl from asking permission before longer bodies.
            var headers = ["Content-Type: application/json", "Accept: application/json", "Expect:"]
            if let key { headers.append(key.header) }
            let post = HTTPPost(
                url: address.url, headers: headers, body: body, timeout: timeout, maximumReplyBytes: maximumReplyBytes,
                // A proxy for a loopback address would only be another party that sees the key.
                bypassesProxy: address.isLoopback)
            let reply = try sessions.withSession { session throws(ChatFailure) in
                try session.post(post, cancelled: cancelled)
            }
            guard (200...299).contains(reply.status) else { return refusal(refused(reply), reply) }
            if let failure = reported(reply) { return refusal(failure, reply) }
            guard let key else { return AttemptOutcome(result: .success(reply.body)) }
            guard let body = key.redacted(reply.body) else {
                throw .malformedReply(reason: "it repeats the key, so it cannot be kept")
            }
            return AttemptOutcome(result: .success(body))
        } catch {
            return AttemptOutcome(result: .failure(redacted(error)))
        }
    }

    private func redacted(_ failure: ChatFailure) -> ChatFailure {
        guard let key else { return failure }
        return switch failure {
        case .connection(let reason): .connection(reason: key.redacted(reason))
        case .unreachable(let reason): .unreachable(reason: key.redacted(reason))
        default: failure
        }
    }

    private func refusal(_ failure: ChatFailure, _ reply: HTTPReply) -> AttemptOutcome {
        let retryAfter = RetryAfter.seconds(reply.retryAfter, now: Date())
        return AttemptOutcome(
            result: .failure(failure), retryAfter: retryAfter,
            asksAllToWait: failure.refusalStatus == 429 || retryAfter != nil)
    }

    /// The failure for a status other than success.
    private func refused(_ reply: HTTPReply) -> ChatFailure {
        switch reply.status {
        case 429: .rateLimited(retryAfter: RetryAfter.seconds(reply.retryAfter, now: Date()))
        case 300...399:
            .redirected(status: reply.status, target: excerpt(key?.redacted(reply.location) ?? reply.location))
        default: .http(status: reply.status, message: message(reply.body))
        }
    }

    /// The failure that a body reports in place of a reply; nil for a reply or an unknown body.
    private func reported(_ reply: HTTPReply) -> ChatFailure? {
        guard reply.body.range(of: Data("error".utf8)) != nil, let root = try? JSONParser.parse(reply.body) else {
            return nil
        }
        // The key is looked for before the message is cut, since half of one would not be found.
        return ReportedError(in: root).flatMap { error in
            error.failure(
                excerpt(key?.redacted(error.message) ?? error.message),
                retryAfter: RetryAfter.seconds(reply.retryAfter, now: Date()))
        }
    }

    /// The message of a refusal: its `error.message`, or the body.
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
