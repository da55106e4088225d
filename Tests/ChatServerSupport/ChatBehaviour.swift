package import Foundation

/// What a scripted server does with a request.
package indirect enum ChatBehaviour: Sendable {
    /// A token of a reply: its text, the logarithm of its probability, and what might have stood there.
    package struct Token: Sendable {
        let token: String
        let logProbability: Double
        let top: [(token: String, logProbability: Double)]

        /// A token of a reply.
        package init(_ token: String, _ logProbability: Double, top: [(token: String, logProbability: Double)] = []) {
            self.token = token
            self.logProbability = logProbability
            self.top = top
        }
    }

    /// A good reply, with its tokens' log-probabilities where some are given.
    case reply(String, logProbabilities: [Token]? = nil, finishReason: String = "stop")
    /// Any status with any headers and body.
    case status(Int, headers: [String: String] = [:], body: String = "")
    /// A body of one's own with status 200.
    case body(Data)
    /// No answer until the client disconnects or the server stops.
    case hang
    /// Half of a good reply under the Content-Length of a whole one, then the end of the connection.
    case truncated
    /// Status 200 with an HTML page.
    case nonJSON
    /// Status 200 with so many bytes, in chunks and without a Content-Length.
    case overlong(bytes: Int)
    /// Another behaviour after some seconds.
    case slow(seconds: Double, ChatBehaviour)

    /// The body of a good reply.
    package static func replyBody(
        _ content: String, logProbabilities: [Token]? = nil, finishReason: String = "stop"
    ) -> Data {
        var choice: [String: Any] = [
            "index": 0, "finish_reason": finishReason, "message": ["role": "assistant", "content": content],
        ]
        if let logProbabilities {
            choice["logprobs"] = [
                "content": logProbabilities.map { token in
                    [
                        "token": token.token, "logprob": token.logProbability, "bytes": Array(token.token.utf8),
                        "top_logprobs": token.top.map { ["token": $0.token, "logprob": $0.logProbability] },
                    ] as [String: Any]
                }
            ]
        }

        let reply: [String: Any] = [
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "scripted",
            "choices": [choice],
            "usage": ["prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15],
        ]
        return (try? JSONSerialization.data(withJSONObject: reply, options: [.sortedKeys])) ?? Data()
    }
}
