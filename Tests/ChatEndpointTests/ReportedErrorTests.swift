import ChatEndpoint
import ChatServerSupport
import Foundation
import Testing

/// Errors sent under HTTP 200.
struct ReportedErrorTests {
    private func ask(
        _ first: String, key: String? = nil
    ) async throws -> (result: Result<Exchange, ChatFailure>, requests: Int) {
        try await ScriptedChatServer.run(
            script: { _, call in call == 1 ? .body(Data(first.utf8)) : .reply("at last") }
        ) { server in
            let endpoint = server.endpoint
            let result = try await onThread {
                let client = try ChatClient(endpoint: endpoint, key: key, timeout: 600, sleep: { _ in })
                return Result { () throws(ChatFailure) in try client.send(question()) }
            }
            return (result, server.requests.count)
        }
    }

    static let passing = [
        #"{"error": {"code": 429, "message": "Rate limit exceeded"}, "user_id": "u"}"#,
        #"{"error": {"code": "429", "message": "slow down"}}"#,
        #"{"error": {"code": 502, "message": "Provider returned error", "metadata": {"raw": "x"}}}"#,
        #"{"error": {"message": "x", "type": "server_error", "code": null}}"#,
        #"{"error": {"message": "x", "type": "rate_limit_error"}}"#,
        #"{"error": {"message": "Overloaded", "type": "overloaded_error"}}"#,
        #"{"error": {"code": "rate_limit_exceeded", "type": "requests", "message": "x"}}"#,
        #"{"error": {"status": "RESOURCE_EXHAUSTED", "message": "x"}}"#,
        #"{"choices": [], "error": {"code": 503, "message": "x"}}"#,
        #"{"choices": null, "error": {"code": 503, "message": "x"}}"#,
        #"{"object": "error", "message": "x", "type": "InternalServerError", "param": null, "code": 500}"#,
        #"{"choices": [{"error": {"code": 502, "message": "lost"}, "finish_reason": "error", "message": {"content": ""}}]}"#,
    ]

    @Test("Temporary errors are retried", arguments: passing)
    func passingTroubleIsTriedAgain(_ body: String) async throws {
        let (result, requests) = try await ask(body)
        #expect(try result.get().reply.get().content == "at last")
        #expect(try requests == 2 && result.get().attempts == 2)
    }

    static let lasting: [(body: String, status: Int)] = [
        (#"{"error": {"code": 400, "message": "no such thing"}}"#, 400),
        (#"{"error": {"code": 402, "message": "no such thing"}}"#, 402),
        (#"{"error": {"code": "context_length_exceeded", "message": "no such thing"}}"#, 400),
        (#"{"error": {"code": null, "type": "invalid_request_error", "message": "no such thing"}}"#, 400),
        (#"{"error": {"code": "invalid_api_key", "message": "no such thing"}}"#, 401),
        (#"{"error": {"code": "insufficient_quota", "message": "no such thing"}}"#, 402),
        (#"{"object": "error", "message": "no such thing", "type": "NotFoundError", "code": 404}"#, 404),
    ]

    @Test("Permanent errors are not retried", arguments: lasting.indices)
    func lastingTroubleIsNot(_ index: Int) async throws {
        let (body, status) = Self.lasting[index]
        let (result, requests) = try await ask(body)
        #expect(result == .failure(.reported(status: status, message: "no such thing")))
        #expect(requests == 1)
    }

    /// Without a known code it is a malformed reply, and archived.
    @Test(
        "An unknown error code is a malformed reply",
        arguments: [
            #"{"error": "model not found"}"#, #"{"error": {"message": "odd"}}"#,
            #"{"error": {"code": 12, "message": "x"}}"#, #"{"error": {"code": "E17", "message": "x"}}"#,
            #"{"error": {}}"#, #"{"detail": "error"}"#,
        ])
    func whatHasNoKnownCodeIsMalformed(_ body: String) async throws {
        let (result, requests) = try await ask(body)
        let exchange = try result.get()
        guard case .failure(.malformedReply) = exchange.reply else {
            Issue.record("\(exchange.reply)")
            return
        }
        #expect(requests == 1 && exchange.replyBody == Data(body.utf8))
    }

    @Test(
        "A reply with an `error` beside it is a reply",
        arguments: ["null", "{}", "\"\"", #"{"code": 500, "message": "an old one"}"#])
    func aReplyWithAnErrorBesideItIsAReply(_ error: String) async throws {
        let (result, requests) = try await ask(
            #"{"error": \#(error), "choices": [{"message": {"content": "about error 500"}, "error": null}]}"#)
        #expect(try result.get().reply.get().content == "about error 500")
        #expect(requests == 1)
    }

    @Test func theKeyIsMaskedInIt() async throws {
        let key = "sk-very-secret-0123456789"
        let (result, _) = try await ask(#"{"error": {"code": 400, "message": "bad key \#(key)"}}"#, key: key)
        #expect(result == .failure(.reported(status: 400, message: "bad key (key)")))
    }
}
