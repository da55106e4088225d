import ChatEndpoint
import ChatServerSupport
import Foundation
import Synchronization
import Testing

struct SendAllTests {
    private static let questions = (0..<40).map { question("\($0)") }

    /// The results that `sendAll` delivered, and its error.
    private struct Course: Sendable {
        var results: [Int: Result<Exchange, ChatFailure>] = [:]
        var failure: ChatFailure?
        var seconds = 0.0
    }

    private struct Enough: Error {}

    private func ask(
        _ endpoint: String, concurrency: Int, policy: RetryPolicy = RetryPolicy(), sleeps: RecordedSleeps? = nil,
        cancelled: @escaping @Sendable () -> Bool = { false },
        stopAfter: Int = .max
    ) async throws -> Course {
        try await onThread {
            let client = try ChatClient(
                endpoint: endpoint, policy: policy, timeout: 600, cancelled: cancelled, sleep: sleeps.map { $0.sleep })
            var course = Course()
            let caller = Thread.current
            let start = ContinuousClock.now
            do {
                try client.sendAll(Self.questions, concurrency: concurrency) { index, result in
                    #expect(Thread.current == caller)
                    #expect(course.results.updateValue(result, forKey: index) == nil)
                    if course.results.count >= stopAfter { throw Enough() }
                }
            } catch let failure as ChatFailure {
                course.failure = failure
            } catch is Enough {}
            course.seconds = (ContinuousClock.now - start) / .seconds(1)
            return course
        }
    }

    @Test("All requests are answered within the concurrency limit", arguments: [1, 3, 8])
    func allAreAnsweredAndNoMoreAtOnceThanAllowed(_ concurrency: Int) async throws {
        try await ScriptedChatServer.run { request, _ in
            .slow(seconds: 0.02, .reply("answer to \(request.prompt)"))
        } body: { server in
            let course = try await ask(server.endpoint, concurrency: concurrency)
            #expect(course.failure == nil)
            #expect(course.results.count == Self.questions.count)
            for (index, result) in course.results {
                #expect(try result.get().reply.get().content == "answer to \(index)")
            }
            #expect(server.maximumInFlight <= concurrency)
            #expect(concurrency == 1 || server.maximumInFlight > 1)
        }
    }

    @Test("A failure of one request is a result") func failuresOfSingleRequestsAreResults() async throws {
        try await ScriptedChatServer.run { request, _ in
            switch Int(request.prompt) ?? 0 {
            case 7: .status(400, body: "not this one")
            case 9: .nonJSON
            default: .reply("fine")
            }
        } body: { server in
            let course = try await ask(server.endpoint, concurrency: 4)
            #expect(course.failure == nil)
            #expect(course.results.count == Self.questions.count)
            #expect(course.results[7] == .failure(.http(status: 400, message: "not this one")))
            #expect(course.results.values.filter { (try? $0.get().reply.get()) == nil }.count == 2)
        }
    }

    @Test("A refusal of all requests is sent once", arguments: [401, 402, 404, 405, 307])
    func aRefusalOfAllIsMetOnce(_ status: Int) async throws {
        try await ScriptedChatServer.run { _, call in
            call <= 5 ? .reply("fine") : .status(status, body: "no")
        } body: { server in
            let course = try await ask(server.endpoint, concurrency: 2)
            let expected: ChatFailure =
                status == 307 ? .redirected(status: 307, target: "") : .http(status: status, message: "no")
            #expect(course.failure == expected)
            // The other thread's good reply may have been on its way and was broken off.
            #expect((4...5).contains(course.results.count))
            #expect(server.requests.count <= 7)
        }
    }

    @Test("A long Retry-After ends the batch") func anEndpointThatWantsToBeLeftAloneIs() async throws {
        try await ScriptedChatServer.run { _, _ in
            .status(429, headers: ["Retry-After": "3600"])
        } body: { server in
            let course = try await ask(server.endpoint, concurrency: 2)
            #expect(course.failure == .rateLimited(retryAfter: 3600))
            #expect(course.results.isEmpty)
            #expect(server.requests.count <= 2)
        }
    }

    @Test("After the caller stops nothing starts, and running requests are delivered")
    func nothingStartsOnceTheCallerHasThrownAndWhatRunsIsHandedOver() async throws {
        try await ScriptedChatServer.run { _, call in
            call <= 3 ? .reply("fine") : .slow(seconds: 0.5, .reply("late"))
        } body: { server in
            let course = try await ask(server.endpoint, concurrency: 4, stopAfter: 3)
            #expect(course.failure == nil)
            // What was under way has been paid for.
            #expect(course.results.count == server.requests.count)
            #expect(server.requests.count <= 8)
        }
    }

    @Test("The same failure three times ends the batch", arguments: [400, 422])
    func whatNoRequestGetsPastIsMetThreeTimes(_ status: Int) async throws {
        try await ScriptedChatServer.run { _, _ in
            .status(status, body: "logprobs are not known here")
        } body: { server in
            let course = try await ask(server.endpoint, concurrency: 1)
            #expect(course.failure == .http(status: status, message: "logprobs are not known here"))
            #expect(server.requests.count == 3)
        }
    }

    /// Three failures alike before any answer fail the batch; afterwards only themselves.
    @Test("An endpoint that never answers ends the batch", arguments: [500, 503, 422])
    func anEndpointThatNeverAnswersIsGivenUp(_ status: Int) async throws {
        let once = RetryPolicy(attempts: 1)
        try await ScriptedChatServer.run { _, call in
            .status(status, body: "request \(call) of 9f\(call): broken")
        } body: { server in
            let course = try await ask(server.endpoint, concurrency: 1, policy: once)
            guard case .http(status, _)? = course.failure else {
                Issue.record("\(course)")
                return
            }
            #expect(course.results.count == 2 && server.requests.count == 3)
        }
        try await ScriptedChatServer.run { _, call in
            call == 1 ? .reply("fine") : .status(status, body: "broken")
        } body: { server in
            let course = try await ask(server.endpoint, concurrency: 1, policy: once)
            // Not even an endpoint that once answered is asked for ever.
            #expect(course.failure == .http(status: status, message: "broken"))
            #expect(course.results.count == 20 && server.requests.count == 21)
        }
        try await ScriptedChatServer.run { _, call in
            call.isMultiple(of: 10) ? .reply("fine") : .status(500 + call % 3, body: "broken")
        } body: { server in
            let course = try await ask(server.endpoint, concurrency: 1, policy: once)
            #expect(course.failure == nil && course.results.count == Self.questions.count)
        }
    }

    @Test("An unreachable endpoint is tried once") func anEndpointThatIsNotThereIsTriedOnce() async throws {
        // The port is free again once the server has gone.
        let endpoint = try await ScriptedChatServer.run(script: { _, _ in .hang }) { $0.endpoint }
        let sleeps = RecordedSleeps()
        let course = try await ask(endpoint, concurrency: 1, sleeps: sleeps)
        guard case .unreachable? = course.failure else {
            Issue.record("\(course)")
            return
        }
        #expect(course.results.isEmpty && sleeps.all.count == 4)
    }

    /// A moderator's 403 concerns one question; a forbidden key fails the first request already.
    @Test("A 403 after an answer concerns its request alone")
    func whatIsForbiddenAfterAnAnswerIsForbiddenForItself() async throws {
        try await ScriptedChatServer.run { request, _ in
            request.prompt == "3" ? .status(403, body: "flagged") : .reply("fine")
        } body: { server in
            let course = try await ask(server.endpoint, concurrency: 1)
            #expect(course.failure == nil && course.results[3] == .failure(.http(status: 403, message: "flagged")))
        }
        try await ScriptedChatServer.run(script: { _, _ in .status(403, body: "no") }) { server in
            let course = try await ask(server.endpoint, concurrency: 1)
            #expect(course.failure == .http(status: 403, message: "no") && server.requests.count == 1)
        }
    }

    private struct Useless: Error {}

    /// Beyond the vanguard nothing is sent until one answer is useful, or all of the vanguard have been handled.
    @Test("A few requests are sent ahead of the rest", arguments: [1, 4, 16])
    func theVanguardGoesAhead(_ concurrency: Int) async throws {
        for usefulAt in [2, Int.max] {
            let script: ScriptedChatServer.Script = { _, _ in .slow(seconds: 0.02, .reply("x")) }
            let sent = try await ScriptedChatServer.run(script: script) { server in
                let endpoint = server.endpoint
                let seen = try await onThread {
                    let client = try ChatClient(endpoint: endpoint, timeout: 600)
                    var seen = 0
                    do {
                        try client.sendAll(Self.questions, concurrency: concurrency, vanguard: 5) { _, _ in
                            seen += 1
                            if seen == 5, usefulAt > 5 { throw Useless() }
                            return seen == usefulAt
                        }
                    } catch is Useless {}
                    return seen
                }
                #expect(seen == server.requests.count)
                return seen
            }
            #expect(sent == (usefulAt == 2 ? Self.questions.count : 5))
        }
        // Where none is of use and the caller goes on, so do the others.
        try await ScriptedChatServer.run(script: { _, _ in .reply("x") }) { server in
            let endpoint = server.endpoint
            try await onThread {
                let client = try ChatClient(endpoint: endpoint, timeout: 600)
                try client.sendAll(Self.questions, concurrency: concurrency, vanguard: 5) { _, _ in false }
            }
            #expect(server.requests.count == Self.questions.count)
        }
    }

    @Test("The request limit counts retries") func noMoreIsSentThanAllowedHoweverOften() async throws {
        try await ScriptedChatServer.run { _, call in
            call.isMultiple(of: 2) ? .reply("fine") : .status(500, body: "busy")
        } body: { server in
            let endpoint = server.endpoint
            let (results, failure) = try await onThread {
                let client = try ChatClient(endpoint: endpoint, timeout: 600, maximumRequests: 11, sleep: { _ in })
                var results = 0
                do {
                    try client.sendAll(Self.questions, concurrency: 1) { _, _ in results += 1 }
                } catch let failure as ChatFailure { return (results, Optional(failure)) }
                return (results, nil)
            }
            #expect(failure == .limitReached(requests: 11))
            #expect(results == 5 && server.requests.count == 11)
        }
    }

    @Test("Cancelling aborts running requests") func cancellingBreaksOffWhatRuns() async throws {
        try await ScriptedChatServer.run(script: { _, call in call <= 3 ? .reply("fine") : .hang }) { server in
            let endpoint = server.endpoint
            let stop = Switch()
            async let found = ask(endpoint, concurrency: 4, cancelled: { stop.isOn })
            while server.requests.count < 7 { try await Task.sleep(for: .milliseconds(5)) }
            let start = ContinuousClock.now
            stop.turnOn()
            let course = try await found
            // Otherwise it would hang for an hour.
            #expect(ContinuousClock.now - start < .seconds(60))
            #expect(course.failure == .cancelled)
            #expect(course.results.count == 3)
            #expect(server.requests.count == 7)
        }
    }

    @Test("Retry-After for one request delays all") func oneIsToldToWaitAndAllDo() async throws {
        // Arrivals, by the server's clock; the wait is real.
        let arrivals = Mutex<[ContinuousClock.Instant]>([])
        try await ScriptedChatServer.run { _, call in
            arrivals.withLock { $0.append(ContinuousClock.now) }
            return call == 10 ? .status(429, headers: ["Retry-After": "2"]) : .slow(seconds: 0.02, .reply("fine"))
        } body: { server in
            let course = try await ask(server.endpoint, concurrency: 4)
            #expect(course.results.count == Self.questions.count)
            #expect(course.failure == nil)
        }
        // Up to three others may have been on their way, or just past the gate.
        let times = arrivals.withLock { $0 }
        let early = times.filter { $0 > times[9] && $0 < times[9] + .milliseconds(1900) }
        #expect(early.count <= 3)
        #expect(times.filter { $0 >= times[9] + .milliseconds(1900) }.count >= 20)
    }

    @Test("An empty batch needs no server") func noRequestsNeedNoServer() throws {
        let client = try ChatClient(endpoint: "http://127.0.0.1:9/v1")
        try client.sendAll([], concurrency: 4) { _, _ in Issue.record("nothing was asked") }
    }
}
