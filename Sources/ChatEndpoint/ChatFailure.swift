/// Why a request failed or brought no answer.
///
/// No case contains the key: replies are redacted first.
package enum ChatFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The endpoint answered with a status other than success; `message` is what it said, on one line.
    case http(status: Int, message: String)
    /// The endpoint redirects, which is not followed: the key would go with the request. `target` is where to, empty if
    /// it does not say.
    case redirected(status: Int, target: String)
    /// The endpoint answered with success and an error in place of a reply; `status` is the HTTP status that its code
    /// stands for.
    case reported(status: Int, message: String)
    /// The endpoint has had too many requests; `retryAfter` is how long it asks to wait, in seconds, if it says.
    case rateLimited(retryAfter: Double?)
    /// No complete reply within this many seconds.
    case timedOut(seconds: Double)
    /// No connection to the endpoint came about, so that nothing was sent.
    case unreachable(reason: String)
    /// The connection broke off.
    case connection(reason: String)
    /// The endpoint answered with success and a malformed reply.
    case malformedReply(reason: String)
    /// The reply has no answer; `refusal` is the model's stated reason, on one line.
    case noAnswer(finishReason: String?, refusal: String?)
    /// The reply is longer than the caller allows, in bytes.
    case replyTooLarge(limit: Int)
    /// The reply's headers exceed a fixed limit, in bytes.
    case headersTooLarge(limit: Int)
    /// The caller cancelled.
    case cancelled
    /// The client has sent its maximum number of requests.
    case limitReached(requests: Int)
    /// libcurl is not installed or lacks something.
    case libraryMissing(reason: String)
    /// The request violates the protocol; nothing was sent.
    case invalidRequest(reason: String)

    /// The status of a refusal, by HTTP or within a reply.
    var refusalStatus: Int? {
        switch self {
        case .http(let status, _), .reported(let status, _), .redirected(let status, _): status
        case .rateLimited: 429
        default: nil
        }
    }

    /// Whether the same request may succeed later.
    package var isRetryable: Bool {
        switch self {
        case .http(let status, _), .reported(let status, _):
            [408, 409, 429].contains(status) || (500...599).contains(status)
        case .rateLimited, .timedOut, .unreachable, .connection: true
        case .redirected, .malformedReply, .noAnswer, .replyTooLarge, .headersTooLarge, .cancelled, .limitReached,
            .libraryMissing, .invalidRequest:
            false
        }
    }

    /// One line: what happened, and what to do where that is known.
    package var description: String {
        switch self {
        case .http(401, let message): "the endpoint refuses the key (HTTP 401): \(message)"
        case .http(402, let message): "the endpoint wants to be paid first (HTTP 402): \(message)"
        case .http(403, let message): "the endpoint forbids the request (HTTP 403): \(message)"
        case .http(404, let message):
            "the endpoint knows no such path or model (HTTP 404); check both: \(message)"
        case .http(let status, let message): "the endpoint answered HTTP \(status): \(message)"
        case .redirected(let status, ""):
            "the endpoint redirects (HTTP \(status)), which is not followed; give its final address"
        case .redirected(let status, let target):
            "the endpoint redirects (HTTP \(status)), which is not followed; give its final address: \(target)"
        case .reported(let status, let message): "the endpoint reports error \(status): \(message)"
        case .rateLimited(let seconds?):
            "the endpoint has had too many requests and asks to wait \(seconds) s; try again later"
        case .rateLimited(nil): "the endpoint has had too many requests; try again later or ask less at once"
        case .timedOut(let seconds): "the endpoint gave no complete reply within \(seconds) s"
        case .unreachable(let reason): "the endpoint cannot be reached: \(reason)"
        case .connection(let reason): "the connection failed: \(reason)"
        case .malformedReply(let reason): "the reply is malformed: \(reason)"
        case .noAnswer(let finishReason, let refusal):
            "the reply has no answer"
                + (finishReason.map { " (finish_reason \($0))" } ?? "")
                + (refusal.map { "; the model refuses: \($0)" } ?? "")
        case .replyTooLarge(let limit): "the reply is longer than \(limit) bytes"
        case .headersTooLarge(let limit): "the headers of the reply are longer than \(limit) bytes"
        case .cancelled: "the request was cancelled"
        case .limitReached(let requests): "all \(requests) requests that are allowed have been sent"
        case .libraryMissing(let reason): reason
        case .invalidRequest(let reason): "the request is invalid: \(reason)"
        }
    }
}
