import ChatEndpoint
import ChatServerSupport
import Foundation
import Synchronization
import Testing

struct SendAllTests {
    private static let questions = (0..<40).map { question("\($0)") }

    /// What `sendAll` handed over and threw.
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

    @Test(arguments: [1, 3, 8])
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

    @Test func failuresOfSingleRequestsAreResults() async throws {
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

    @Test(arguments: [401, 403, 404])
    func aRefusalOfAllIsMetOnce(_ status: Int) async throws {
        try await ScriptedChatServer.run { _, call in
            call <= 5 ? .reply("fine") : .status(status, body: "no")
        } body: { server in
            let course = try await ask(server.endpoint, concurrency: 2)
            #expect(course.failure == .http(status: status, message: "no"))
            // The other thread's good reply may have been on its way and was broken off.
            #expect((4...5).contains(course.results.count))
            #expect(server.requests.count <= 7)
        }
    }

    @Test func anEndpointThatWantsToBeLeftAloneIs() async throws {
        try await ScriptedChatServer.run { _, _ in
            .status(429, headers: ["Retry-After": "3600"])
        } body: { server in
            let course = try await ask(server.endpoint, concurrency: 2)
            #expect(course.failure == .rateLimited(retryAfter: 3600))
            #expect(course.results.isEmpty)
            #expect(server.requests.count <= 2)
        }
    }

    @Test func nothingStartsOnceTheCallerHasThrownAndWhatRunsIsHandedOver() async throws {
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

    @Test(arguments: [400, 422])
    func whatNoRequestGetsPastIsMetThreeTimes(_ status: Int) async throws {
        try await ScriptedChatServer.run { _, _ in
            .status(status, body: "logprobs are not known here")
        } body: { server in
            let course = try await ask(server.endpoint, concurrency: 1)
            #expect(course.failure == .http(status: status, message: "logprobs are not known here"))
            #expect(server.requests.count == 3)
        }
    }

    @Test func noMoreIsSentThanAllowedHoweverOften() async throws {
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

    @Test func cancellingBreaksOffWhatRuns() async throws {
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

    @Test func oneIsToldToWaitAndAllDo() async throws {
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

    @Test func noRequestsNeedNoServer() throws {
        let client = try ChatClient(endpoint: "http://127.0.0.1:9/v1")
        try client.sendAll([], concurrency: 4) { _, _ in Issue.record("nothing was asked") }
    }
}
