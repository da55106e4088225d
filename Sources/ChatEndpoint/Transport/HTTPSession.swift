import CCurl
import Foundation

/// One POST request.
struct HTTPPost {
    let url: String
    let headers: [String]
    let body: Data
    let timeout: Double
    let maximumReplyBytes: Int
    let bypassesProxy: Bool
}

/// The reply to one POST request.
struct HTTPReply {
    let status: Int
    let body: Data
    /// The value of the Retry-After header, empty where there is none.
    let retryAfter: String
    /// The value of the Location header, empty where there is none.
    let location: String
}

/// Connections to an endpoint that stay open from one request to the next; for one thread at a time.
final class HTTPSession {
    private let session: OpaquePointer

    init() {
        guard let session = rsae_http_session_new() else { fatalError("out of memory") }
        self.session = session
    }

    deinit {
        rsae_http_session_free(session)
    }

    /// Posts and waits for the whole reply, of any status.
    ///
    /// - Parameter cancelled: asked about ten times a second, on this thread.
    func post(_ post: HTTPPost, cancelled: () -> Bool) throws(ChatFailure) -> HTTPReply {
        var reply = rsae_http_reply()
        defer { rsae_http_reply_free(&reply) }
        let outcome = transfer(post, &reply, cancelled: cancelled)
        switch outcome {
        case RSAE_HTTP_DONE:
            let body = reply.body.map { Data(bytes: $0, count: reply.size) } ?? Data()
            return HTTPReply(
                status: Int(reply.status), body: body, retryAfter: text(&reply.retry_after),
                location: text(&reply.location))
        case RSAE_HTTP_TIMED_OUT: throw .timedOut(seconds: post.timeout)
        case RSAE_HTTP_REPLY_TOO_LARGE: throw .replyTooLarge(limit: post.maximumReplyBytes)
        case RSAE_HTTP_HEADERS_TOO_LARGE: throw .headersTooLarge(limit: Int(RSAE_HTTP_MAX_HEADER_BYTES))
        case RSAE_HTTP_UNREACHABLE: throw .unreachable(reason: excerpt(text(&reply.error)))
        case RSAE_HTTP_CANCELLED: throw .cancelled
        case RSAE_HTTP_LIBRARY_MISSING: throw .libraryMissing(reason: text(&reply.error))
        default: throw .connection(reason: excerpt(text(&reply.error)))
        }
    }

    private func transfer(
        _ post: HTTPPost, _ reply: inout rsae_http_reply, cancelled: () -> Bool
    ) -> rsae_http_outcome {
        // The strings are copied to live through the call: Swift lends a pointer to only one at a time.
        let headers = post.headers.map { strdup($0) }
        defer { for header in headers { free(header) } }
        let pointers = headers.map { UnsafePointer($0) }
        return withoutActuallyEscaping(cancelled) { cancelled in
            withUnsafePointer(to: cancelled) { context in
                post.url.withCString { url in
                    post.body.withUnsafeBytes { body in
                        pointers.withUnsafeBufferPointer { headers in
                            var request = rsae_http_request()
                            request.url = url
                            request.headers = headers.baseAddress
                            request.header_count = headers.count
                            request.body = body.baseAddress
                            request.body_size = body.count
                            request.timeout_s = post.timeout
                            request.connect_timeout_s = min(post.timeout, 30)
                            request.max_reply_bytes = post.maximumReplyBytes
                            request.bypass_proxy = post.bypassesProxy
                            request.cancelled = { $0!.load(as: (() -> Bool).self)() }
                            request.context = UnsafeMutableRawPointer(mutating: UnsafeRawPointer(context))
                            return rsae_http_post(session, &request, &reply)
                        }
                    }
                }
            }
        }
    }

    /// The text of a fixed array of characters that ends with a zero byte.
    private func text<Characters>(_ characters: inout Characters) -> String {
        withUnsafeBytes(of: &characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
