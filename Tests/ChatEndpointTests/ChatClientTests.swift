import ChatEndpoint
import ChatServerSupport
import Foundation
import Testing

struct ChatClientTests {
    private static let key = "sk-very-secret-0123456789"

    /// The client's results for a script, with waits recorded instead of slept.
    private func ask(
        key: String = key, policy: RetryPolicy = RetryPolicy(), timeout: Double = 600, maximumReplyBytes: Int = 1 << 20,
        _ script: @escaping ScriptedChatServer.Script
    ) async throws -> (result: Result<Exchange, ChatFailure>, sleeps: [Double], requests: [ReceivedRequest]) {
        try await ScriptedChatServer.run(script: script) { server in
            let sleeps = RecordedSleeps()
            let endpoint = server.endpoint
            let result = try await onThread {
                let client = try ChatClient(
                    endpoint: endpoint, key: key, policy: policy, timeout: timeout,
                    maximumReplyBytes: maximumReplyBytes, sleep: sleeps.sleep)
                return Result { () throws(ChatFailure) in try client.send(question()) }
            }
            if case .failure(let failure) = result {
                let text = "\(failure) \(String(reflecting: failure))"
                #expect(!text.contains(Self.key))
                #expect(failure.description.split(separator: "\n").count == 1)
            }
            return (result, sleeps.all, server.requests)
        }
    }

    @Test("A good reply keeps its bytes") func aGoodReplyComesBackWithItsBytes() async throws {
        let tokens = [ChatBehaviour.Token("yes", -0.5, top: [("yes", -0.5), ("no", -1)])]
        let (result, sleeps, requests) = try await ask { _, _ in .reply("yes", logProbabilities: tokens) }
        let exchange = try result.get()
        #expect(try exchange.reply.get().content == "yes")
        #expect(try exchange.reply.get().tokens?.first?.top.count == 2)
        #expect(exchange.replyBody == ChatBehaviour.replyBody("yes", logProbabilities: tokens))
        #expect(try exchange.requestBody == question().body())
        #expect(exchange.attempts == 1)
        #expect(sleeps.isEmpty)
        let request = try #require(requests.first)
        #expect(request.method == "POST")
        #expect(request.path == "/v1/chat/completions")
        #expect(request.body == exchange.requestBody)
        #expect(request.prompt == "Is it so?")
        #expect(request.headers["authorization"] == "Bearer \(Self.key)")
        #expect(request.headers["content-type"] == "application/json")
        #expect(request.headers["expect"] == nil)
    }

    @Test("Without a key no Authorization header is sent") func withoutAKeyNoneIsSent() async throws {
        try await ScriptedChatServer.run(script: { _, _ in .reply("x") }) { server in
            let endpoint = server.endpoint
            _ = try await onThread { try ChatClient(endpoint: endpoint, timeout: 600).send(question()) }
            #expect(server.requests.first?.headers["authorization"] == nil)
        }
    }

    @Test("Temporary failures are retried", arguments: [408, 409, 429, 500, 502, 503, 529])
    func passingTroubleIsTriedAgain(_ status: Int) async throws {
        let (result, sleeps, requests) = try await ask { _, call in
            call < 3 ? .status(status, body: "busy") : .reply("at last")
        }
        #expect(try result.get().attempts == 3)
        #expect(requests.count == 3)
        #expect(Set(requests.map(\.body)).count == 1)
        #expect(sleeps.count == 2)
        #expect((0.5...1).contains(sleeps[0]) && (1...2).contains(sleeps[1]))
    }

    @Test("Refusals are not retried", arguments: [400, 401, 402, 403, 404, 405, 413, 422])
    func refusalsAreNotTriedAgain(_ status: Int) async throws {
        let (result, sleeps, requests) = try await ask { _, _ in
            .status(status, body: #"{"error":{"message":"no\nway"}}"#)
        }
        #expect(result == .failure(.http(status: status, message: "no way")))
        #expect(sleeps.isEmpty && requests.count == 1)
    }

    /// A redirect would carry the key, so it is not followed, to this host or another.
    @Test("Redirects are not followed, so the key stays with its host", arguments: [301, 302, 303, 307, 308])
    func redirectsCarryTheKeyNowhere(_ status: Int) async throws {
        try await ScriptedChatServer.run(script: { _, _ in .reply("stolen") }) { thief in
            let target = "\(thief.endpoint)/chat/completions"
            let (result, sleeps, requests) = try await ask { _, _ in .status(status, headers: ["Location": target]) }
            #expect(result == .failure(.redirected(status: status, target: target)))
            #expect(sleeps.isEmpty && requests.count == 1 && thief.requests.isEmpty)
            let (echo, _, _) = try await ask { _, _ in .status(status, headers: ["Location": "/?key=\(Self.key)"]) }
            #expect(echo == .failure(.redirected(status: status, target: "/?key=(key)")))
        }

        let (nowhere, _, _) = try await ask { _, _ in .status(status) }
        #expect(nowhere == .failure(.redirected(status: status, target: "")))
    }

    /// Wherever the excess is in a reply, that request fails at once.
    @Test func bulkInHeadersFailsAtOnce() async throws {
        let many = Dictionary(
            uniqueKeysWithValues: (0..<600).map { ("X-Header-\($0)", String(repeating: "a", count: 900)) })
        for headers in [many, ["X-Long": String(repeating: "a", count: 400_000)]] {
            let (result, sleeps, requests) = try await ask { _, _ in .status(200, headers: headers, body: "{}") }
            #expect(result == .failure(.headersTooLarge(limit: 1 << 18)))
            #expect(sleeps.isEmpty && requests.count == 1)
        }

        let (fine, _, _) = try await ask { _, _ in
            .status(
                200, headers: ["X-Long": String(repeating: "a", count: 50_000)],
                body: String(decoding: ChatBehaviour.replyBody("x"), as: UTF8.self))
        }
        #expect(try fine.get().reply.get().content == "x")
    }

    @Test("Retries end, and waits double up to a limit") func attemptsEndAndWaitsDoubleToACap() async throws {
        let policy = RetryPolicy(attempts: 6, baseDelay: 1, maximumDelay: 5, seed: 3)
        let (result, sleeps, requests) = try await ask(policy: policy) { _, _ in .status(500, body: "broken") }
        #expect(result == .failure(.http(status: 500, message: "broken")))
        #expect(requests.count == 6)
        for (sleep, full) in zip(sleeps, [1.0, 2, 4, 5, 5]) { #expect(sleep >= full / 2 && sleep <= full) }
        let again = try await ask(policy: policy) { _, _ in .status(500) }
        #expect(again.sleeps == sleeps)
        let other = try await ask(policy: RetryPolicy(attempts: 6, seed: 4)) { _, _ in .status(500) }
        #expect(other.sleeps.first != sleeps.first)
    }

    @Test func retryAfterIsHonouredInSeconds() async throws {
        let (result, sleeps, _) = try await ask { _, call in
            switch call {
            case 1: .status(429, headers: ["Retry-After": "17"])
            case 2: .status(503, headers: ["retry-after": "300"])
            case 3: .status(429, headers: ["Retry-After": "soon"])
            default: .reply("x")
            }
        }
        #expect(try result.get().attempts == 4)
        #expect(sleeps.prefix(2) == [17, 300])
        #expect(sleeps.count == 3 && (2...4).contains(sleeps[2]))
    }

    @Test func retryAfterIsHonouredAsADate() async throws {
        let (result, sleeps, _) = try await ask { _, call in
            switch call {
            case 1: .status(429, headers: ["Retry-After": Self.date(secondsFromNow: 290)])
            case 2: .status(429, headers: ["Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"])
            default: .reply("x")
            }
        }
        #expect(try result.get().attempts == 3)
        #expect(sleeps.count == 2)
        // However long a busy machine takes over it.
        #expect((100...291).contains(sleeps[0]))
        #expect((1...2).contains(sleeps[1]))
    }

    @Test("Too long a Retry-After fails at once") func tooLongAWaitFailsAtOnce() async throws {
        let (limited, sleeps, requests) = try await ask { _, _ in .status(429, headers: ["Retry-After": "301"]) }
        #expect(limited == .failure(.rateLimited(retryAfter: 301)))
        #expect(sleeps.isEmpty && requests.count == 1)
        let (dated, _, _) = try await ask { _, _ in
            .status(429, headers: ["Retry-After": Self.date(secondsFromNow: 86_400)])
        }
        guard case .failure(.rateLimited(let seconds?)) = dated else {
            Issue.record("\(dated)")
            return
        }
        #expect((86_000...86_401).contains(seconds))
        let (huge, _, _) = try await ask { _, _ in
            .status(429, headers: ["Retry-After": String(repeating: "9", count: 100)])
        }
        #expect(throws: ChatFailure.self) { try huge.get() }
    }

    private static func date(secondsFromNow seconds: Double) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return formatter.string(from: Date(timeIntervalSinceNow: seconds))
    }

    @Test("Broken connections are retried") func brokenConnectionsAreTriedAgain() async throws {
        let (result, sleeps, requests) = try await ask { _, call in call == 1 ? .truncated : .reply("whole") }
        #expect(try result.get().reply.get().content == "whole")
        #expect(requests.count == 2 && sleeps.count == 1)
        let (broken, _, _) = try await ask(policy: RetryPolicy(attempts: 2)) { _, _ in .truncated }
        guard case .failure(.connection) = broken else {
            Issue.record("\(broken)")
            return
        }
    }

    @Test("Timeouts are retried") func timeoutsAreTriedAgain() async throws {
        let (result, sleeps, requests) = try await ask(policy: RetryPolicy(attempts: 2), timeout: 0.3) { _, _ in .hang }
        #expect(result == .failure(.timedOut(seconds: 0.3)))
        // On a busy machine a request may not even get there in time.
        #expect(requests.count <= 2 && sleeps.count == 1)
        let (slow, _, _) = try await ask(timeout: 600) { _, _ in .slow(seconds: 0.3, .reply("slowly")) }
        #expect(try slow.get().reply.get().content == "slowly")
    }

    @Test func aPortWithoutAServerIsAConnectionFailure() async throws {
        // The port is free again once the server has gone.
        let endpoint = try await ScriptedChatServer.run(script: { _, _ in .hang }) { $0.endpoint }
        let found = try await onThread {
            let client = try ChatClient(endpoint: endpoint, policy: RetryPolicy(attempts: 1))
            return failure { () throws(ChatFailure) in try client.send(question()) }
        }
        guard case .unreachable? = found else {
            Issue.record("\(String(describing: found))")
            return
        }
    }

    @Test("A malformed reply is not requested again") func whatIsNoReplyIsNotAskedForAgain() async throws {
        let page = try await ask { _, _ in .nonJSON }
        guard case .success(let exchange) = page.result, case .failure(.malformedReply(let reason)) = exchange.reply
        else {
            Issue.record("\(page.result)")
            return
        }
        #expect(reason.contains("It works!"))
        // It is kept as it came.
        #expect(String(decoding: exchange.replyBody, as: UTF8.self).contains("<p>It works!</p>"))
        #expect(page.requests.count == 1)
        let empty = try await ask { _, _ in .status(204) }
        guard case .success(let nothing) = empty.result, case .failure(.malformedReply) = nothing.reply else {
            Issue.record("\(empty.result)")
            return
        }
    }

    @Test("A reply that is too long is cut off") func overlongRepliesAreBrokenOff() async throws {
        let (chunked, _, requests) = try await ask { _, _ in .overlong(bytes: 3 << 20) }
        #expect(chunked == .failure(.replyTooLarge(limit: 1 << 20)))
        #expect(requests.count == 1)
        let announced = try await ask(maximumReplyBytes: 100) { _, _ in .reply("x") }
        #expect(announced.result == .failure(.replyTooLarge(limit: 100)))
    }

    @Test("A key repeated by the endpoint is masked") func aKeyThatTheEndpointRepeatsIsNotPassedOn() async throws {
        let messages = [
            "Incorrect key \(Self.key)!", "\(Self.key)\u{301}", String(repeating: "-", count: 190) + Self.key,
        ]
        for message in messages {
            let (result, _, _) = try await ask { _, _ in .status(401, body: message) }
            guard case .failure(.http(401, let said)) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(!said.contains("sk-very"))
        }

        let (echo, _, _) = try await ask { _, _ in .reply("you sent \(Self.key), \(Self.key)") }
        #expect(try echo.get().reply.get().content == "you sent (key), (key)")
        #expect(try echo.get().replyBody.range(of: Data(Self.key.utf8)) == nil)
        // Escapes of JSON hide nothing, in a reply or in a complaint.
        let hidden = Self.key.utf8.map { "\\u00" + String($0, radix: 16) }.joined()
        let (masked, _, _) = try await ask { _, _ in .body(Data(#"{"x": "\#(hidden)"}"#.utf8)) }
        #expect(masked == .failure(.malformedReply(reason: "it repeats the key, so it cannot be kept")))
        let (complaint, _, _) = try await ask { _, _ in .status(400, body: "bad key \(hidden)") }
        #expect(complaint == .failure(.http(status: 400, message: "(a text with the key)")))
        let (page, _, _) = try await ask { _, _ in .body(Data("<p>\(Self.key)".utf8)) }
        #expect(try page.get().replyBody == Data("<p>(key)".utf8))
    }

    /// An answer is JSON within the JSON of its reply, so its escapes are doubled.
    @Test("A key is masked within escaped JSON") func layersOfEscapesHideNoKey() async throws {
        for layers in 1...3 {
            let backslashes = String(repeating: "\\", count: 1 << layers - 1)
            let hidden = Self.key.replacing("-", with: backslashes + "u002d")
            let (result, _, _) = try await ask { _, _ in .body(Data(#"{"x": "\#(hidden)"}"#.utf8)) }
            #expect(result == .failure(.malformedReply(reason: "it repeats the key, so it cannot be kept")))
        }
    }

    /// Servers that need no key are often given a placeholder, such as their own name.
    @Test("A placeholder key is not masked", arguments: ["ollama", "key", "x", "sk-1234"])
    func aPlaceholderIsNoSecret(_ key: String) async throws {
        let said = "a feature of \(key) and \(key)"
        let (reply, _, requests) = try await ask(key: key) { _, _ in .reply(said) }
        #expect(requests.first?.headers["authorization"] == "Bearer \(key)")
        #expect(try reply.get().reply.get().content == said)
        let (complaint, _, _) = try await ask(key: key) { _, _ in .status(400, body: said) }
        #expect(complaint == .failure(.http(status: 400, message: said)))
    }

    @Test(
        "Masking a longer placeholder key leaves the reply readable", arguments: ["sk-no-key", "lm-studio", "12345678"])
    func aLongerPlaceholderFailsNothing(
        _ key: String
    ) async throws {
        let (reply, _, _) = try await ask(key: key) { _, _ in .reply("the word \(key)") }
        #expect(try reply.get().reply.get().content == "the word (key)")
    }

    @Test("Connections are reused") func connectionsAreKept() async throws {
        try await ScriptedChatServer.run(script: { _, _ in .reply("x") }) { server in
            let endpoint = server.endpoint
            let attempts = try await onThread {
                let client = try ChatClient(endpoint: endpoint, timeout: 600)
                return try (0..<20).map { try client.send(question("\($0)")).attempts }
            }
            #expect(attempts == Array(repeating: 1, count: 20))
        }
    }

    @Test func cancellingEndsAHangingRequest() async throws {
        try await cancelAfterArrival { _, _ in .hang }
    }

    @Test func cancellingEndsAWait() async throws {
        try await cancelAfterArrival { _, _ in .status(429, headers: ["Retry-After": "200"]) }
    }

    private func cancelAfterArrival(script: @escaping ScriptedChatServer.Script) async throws {
        try await ScriptedChatServer.run(script: script) { server in
            let endpoint = server.endpoint
            let stop = Switch()
            async let ended = onThread {
                let client = try ChatClient(endpoint: endpoint, timeout: 600, cancelled: { stop.isOn })
                let found = failure { () throws(ChatFailure) in try client.send(question()) }
                #expect(found == .cancelled)
                return ContinuousClock.now
            }
            while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            // Long enough for the answer, where there is one, to arrive and the wait to begin.
            try await Task.sleep(for: .milliseconds(200))
            let start = ContinuousClock.now
            stop.turnOn()
            let end = try await ended
            #expect(end - start < .seconds(20))
            #expect(server.requests.count == 1)
        }
    }
}
