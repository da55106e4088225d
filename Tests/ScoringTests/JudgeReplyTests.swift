import ActivationPipeline
import CatalogMaintenance
import ChatServerSupport
import FeatureCatalog
import FeatureScoring
import Foundation
import GRDB
import LinearAlgebra
import Scoring
import Synchronization
import TestSupport
import Testing
import Vocabulary
import WorkflowWorlds

/// Real judges: wrapped answers, missing answers, and when the run ends.
@Suite struct JudgeReplyTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file("c.sqlite")
        try JudgedWorld.catalog(at: path)
    }

    private static let good = #"{"category": "low-level", "score": 4, "explanation": "the word type"}"#

    /// The right answer to any question: a rubric of 4, no activation, every other decision true.
    private static func answer(_ request: ReceivedRequest) -> String {
        let material = (try? JSONSerialization.jsonObject(with: Data(request.prompt.utf8))) as? [String: Any] ?? [:]
        let system = (request.json["messages"] as? [[String: Any]])?.first?["content"] as? String ?? ""
        if let tokens = material["tokens"] as? [String] {
            return #"{"activations": \#(tokens.indices.map { $0 % 3 })}"#
        }
        if let texts = material["texts"] as? [String] {
            let key = system.contains("\"correct\"") ? "correct" : "active"
            return #"{"\#(key)": \#(texts.indices.map { $0.isMultiple(of: 2) })}"#
        }
        return system.contains("\"category\"") ? good : #"{"explanation": "the word type"}"#
    }

    private func settings(
        _ server: ScriptedChatServer, sample: Int = 8, tests: [JudgePrompt] = [.rubric],
        reading: AnswerReading? = .unwrapped
    ) -> ScoringSettings {
        ScoringSettings(
            sample: sample, minimumFirings: 5,
            judge: JudgeSettings(endpoint: server.endpoint, llm: "scripted", tests: tests, reading: reading), seed: 4)
    }

    private func score(
        _ settings: ScoringSettings, concurrency: Int = 4, attempts: Int = 1
    ) async throws -> ScoringRun.Result {
        try await onThread { [path] in
            let catalog = try Catalog.open(at: path, mode: .readWrite)
            defer { _ = try? catalog.close() }
            return try ScoringRun(
                settings: settings, workers: Workers(threads: 1),
                connection: JudgeConnection(concurrency: concurrency, timeout: 600, attempts: attempts)
            ).run(on: catalog)
        }
    }

    /// The reason why a run is refused; nil if it is not.
    private func refusal(
        _ settings: ScoringSettings, concurrency: Int = 4, attempts: Int = 1
    ) async throws -> String? {
        do {
            _ = try await score(settings, concurrency: concurrency, attempts: attempts)
            return nil
        } catch WorkflowError.refused(let why) {
            #expect(why.split(separator: "\n").count == 1 && why.utf8.count < 1000)
            return why
        }
    }

    private func retry() async throws -> ScoringSettings {
        try await onThread { [path] in
            let catalog = try Catalog.open(at: path, mode: .readOnly)
            defer { _ = try? catalog.close() }
            return try ScoringRun.retry(dictionary: nil, in: catalog)
        }
    }

    private func expectReproduced(_ runID: Int64) async throws {
        let comparisons = try await onThread { [path, directory] in
            let catalog = try Catalog.open(at: path, mode: .readOnly)
            defer { _ = try? catalog.close() }
            return try Reproduction(
                settings: .init(runID: runID, scratch: directory.file("scratch-\(runID).sqlite")),
                workers: Workers(threads: 1)
            ).run(on: catalog)
        }
        #expect(comparisons.count >= 1 && comparisons.allSatisfy(\.isSame), "\(comparisons)")
    }

    private func first(_ sql: String) throws -> CatalogValue? {
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        return try catalog.rows(sql: sql).rows.first?.first
    }

    // MARK: What is around answers

    /// The same scores as without wrapping, counted, archived unchanged, and reproduced.
    @Test("Fences and think blocks are removed and counted")
    func fencesAndThoughtsAreTakenOffAndCounted() async throws {
        let script: ScriptedChatServer.Script = { request, call in
            let answer = Self.answer(request)
            return switch call % 4 {
            case 0: .reply("```json\n\(answer)\n```")
            case 1: .reply("<think>\nmaybe [1, 2]\n</think>\n\n\(answer)")
            case 2: .reply("<think></think>\n```\n\(answer)\n```")
            default: .reply(answer)
            }
        }

        let tests: [JudgePrompt] = [.simulation, .detection, .rubric]
        try await ScriptedChatServer.run(script: script) { server in
            let result = try await score(settings(server, sample: 4, tests: tests))
            #expect(!result.records.isEmpty && result.records.allSatisfy { $0.status != .failed })
            let rubrics = result.records.filter { $0.method == .rubric }
            #expect(rubrics.count == 4 && rubrics.allSatisfy { $0.value == 4 && $0.category == .lowLevel })
            let wrapping = try #require(result.wrapping)
            #expect(wrapping.answers == server.requests.count)
            #expect(abs(wrapping.fenced - wrapping.answers / 2) <= 1 && abs(wrapping.thought - wrapping.fenced) <= 1)
            #expect(
                try first("SELECT count(*) FROM score WHERE metrics ->> '$.fenced_answers' > 0") != .integer(0))
            #expect(
                try first("SELECT count(*) FROM score WHERE metrics ->> '$.thinking_answers' > 0") != .integer(0))
            try await expectReproduced(result.runID)

            // Again: nothing is asked, and nothing is different.
            let asked = server.requests.count
            let again = try await score(settings(server, sample: 4, tests: tests))
            #expect(server.requests.count == asked && again.wrapping == wrapping)
            #expect(again.records.map(\.value) == result.records.map(\.value))
            #expect(again.records.map(\.metricsJSON) == result.records.map(\.metricsJSON))
        }
    }

    /// A run of a version that removed nothing stays as recorded; a retry requests nothing that is readable now.
    @Test("Earlier runs keep their meaning") func earlierRunsKeepTheirMeaning() async throws {
        let script: ScriptedChatServer.Script = { request, call in
            switch call {
            case 2: .reply("```json\n\(Self.good)\n```")
            case 4: .reply("certainly")
            case 5: .body(Data(#"{"choices":[{"message":{"content":null},"finish_reason":"content_filter"}]}"#.utf8))
            default: .reply(Self.good)
            }
        }
        try await ScriptedChatServer.run(script: script) { server in
            let old = try await score(settings(server, reading: nil), concurrency: 1)
            #expect(old.records.count { $0.status == .failed } == 3 && old.wrapping?.fenced == 0)
            #expect(try first("SELECT config ->> '$.judge.reading' FROM run ORDER BY run_id DESC") == .null)
            // The words that were used then for what is said in others now.
            let queue = try DatabaseQueue(path: path)
            try await queue.write { database in
                try database.execute(
                    sql: """
                        UPDATE score SET reason = 'the reply is malformed: content is null, not a string'
                        WHERE reason LIKE '%content_filter%'
                        """)
            }
            try queue.close()
            try await expectReproduced(old.runID)

            let asked = server.requests.count
            let settings = try await retry()
            #expect(settings.judge?.reading == .unwrapped)
            let second = try await score(settings)
            #expect(second.records.count == 3 && second.records.allSatisfy { $0.value == 4 })
            #expect(server.requests.count == asked + 2, "the fenced answer is there")
            try await expectReproduced(second.runID)
        }
    }

    // MARK: What comes in place of answers

    static let withheld: [(body: String, reason: String)] = [
        (
            #"{"choices":[{"message":{"content":null},"finish_reason":"content_filter"}]}"#,
            "finish_reason content_filter"
        ),
        (#"{"choices":[{"message":{"content":null,"refusal":"no"},"finish_reason":"stop"}]}"#, "refuses: no"),
        (#"{"choices":[{"message":{"content":null},"finish_reason":"tool_calls"}]}"#, "finish_reason tool_calls"),
        (#"{"choices":[{"message":{"content":null},"finish_reason":"length"}]}"#, "`maxAnswerTokens`"),
        (#"{"choices":[{"message":{"content":""},"finish_reason":"length"}]}"#, "`maxAnswerTokens`"),
        (#"{"choices":[{"message":{"content":"{\"cat"},"finish_reason":"content_filter"}]}"#, "content_filter"),
        (#"{"error":{"code":400,"message":"flagged"}}"#, "error 400: flagged"),
        (#"{"error":{"code":403,"message":"flagged"}}"#, "error 403: flagged"),
        (#"{"error":{"code":429,"message":"slow down"}}"#, "too many requests"),
    ]

    /// One question fails for its reason, and no other.
    @Test("A request without an answer fails alone", arguments: withheld.indices)
    func oneWithoutAnAnswerFailsAlone(_ index: Int) async throws {
        let (body, reason) = Self.withheld[index]
        let script: ScriptedChatServer.Script = { _, call in call == 3 ? .body(Data(body.utf8)) : .reply(Self.good) }
        try await ScriptedChatServer.run(script: script) { server in
            let result = try await score(settings(server), concurrency: 1)
            let failed = result.records.filter { $0.status == .failed }
            #expect(failed.count == 1 && failed.first?.reason?.contains(reason) == true, "\(failed)")
            #expect(result.records.count { $0.value == 4 } == 7)
            try await expectReproduced(result.runID)
            let retried = try await score(try await retry())
            #expect(retried.records.map(\.value) == [4] && server.requests.count == 9)
        }
    }

    /// In content, headers or elsewhere.
    @Test("A huge reply fails alone") func oneHugeReplyFailsAlone() async throws {
        let reply = String(decoding: ChatBehaviour.replyBody(Self.good), as: UTF8.self)
        let letters = String(repeating: "a", count: 1_100_000)
        let huge: [(String, ChatBehaviour)] = [
            ("spaces behind", .body(Data((reply + String(repeating: " ", count: 2_000_000)).utf8))),
            ("more than may be", .body(Data((reply + String(repeating: " ", count: 10_000_000)).utf8))),
            ("an answer", .reply(letters)), ("a finish reason", .reply(Self.good, finishReason: letters)),
            ("a field", .body(Data(reply.replacing("\"scripted\"", with: "\"\(letters)\"").utf8))),
            ("a category", .reply(Self.good.replacing("low-level", with: letters))),
            ("headers", .status(200, headers: ["X-Long": letters], body: reply)),
            ("no end", .overlong(bytes: 20_000_000)),
        ]
        for (name, behaviour) in huge {
            let result = try await scoreWithOne(behaviour)
            let failed = result.records.filter { $0.status == .failed }
            #expect(failed.count == 1 && (failed.first?.reason?.utf8.count ?? .max) < 400, "\(name): \(failed)")
            #expect(result.records.count { $0.value == 4 } == 7, "\(name)")
        }
    }

    private func scoreWithOne(_ behaviour: ChatBehaviour) async throws -> ScoringRun.Result {
        try await ScriptedChatServer.run(script: { _, call in call == 6 ? behaviour : .reply(Self.good) }) { server in
            let result = try await score(settings(server), concurrency: 2, attempts: 5)
            #expect(server.requests.count == 8)
            try await expectReproduced(result.runID)
            return result
        }
    }

    // MARK: When nothing more is asked

    static let useless: [(content: String, finish: String, advice: String)] = [
        ("I would say 4 of 5!", "stop", "`noJsonMode`"), (#"{"category": "#, "length", "`maxAnswerTokens`"),
        ("<think>hm", "stop", "`maxAnswerTokens`"), ("hm</think>\n\(good)", "stop", "--reasoning-parser"),
        (#"{"verdict": 4}"#, "stop", "`llm`"), ("", "stop", "`noJsonMode`"),
        (#"{"category": "middling", "score": 4, "explanation": "x"}"#, "stop", "`llm`"),
    ]

    /// The first five answers decide, whatever the concurrency.
    @Test("Useless answers end the run early", arguments: useless.indices)
    func answersOfNoUseEndTheRunEarly(_ index: Int) async throws {
        let (content, finish, advice) = Self.useless[index]
        let script: ScriptedChatServer.Script = { _, _ in .reply(content, finishReason: finish) }
        try await ScriptedChatServer.run(script: script) { server in
            let why = try await refusal(settings(server), concurrency: 16)
            #expect(why?.contains(advice) == true && why?.contains("first 5 answers") == true, "\(why ?? "done")")
            #expect(server.requests.count == 5)
            #expect(try first("SELECT status FROM run ORDER BY run_id DESC") == .text("failed"))
            #expect(try first("SELECT count(*) FROM exchange") == .integer(5))
            #expect(try first("SELECT count(*) FROM score") == .integer(0))
        }
    }

    /// Once the judge works, the same command continues, and the rest is for `--retry-failed`.
    @Test("A run ended early can be resumed") func whatEndedEarlyGoesOn() async throws {
        let isBroken = Mutex(true)
        let script: ScriptedChatServer.Script = { _, _ in .reply(isBroken.withLock { $0 } ? "well" : Self.good) }
        try await ScriptedChatServer.run(script: script) { server in
            let why = try await refusal(settings(server))
            #expect(why != nil)
            isBroken.withLock { $0 = false }
            let result = try await score(settings(server))
            #expect(server.requests.count == 8 && result.records.count { $0.value == 4 } == 3)
            let retried = try await score(try await retry())
            #expect(server.requests.count == 13 && retried.records.map(\.value) == Array(repeating: 4, count: 5))
        }
    }

    @Test("Too few or mixed answers do not end the run") func fewerAnswersOrMixedOnesEndNothing() async throws {
        // As many as there are questions: they are failures to be tried again.
        try await ScriptedChatServer.run(script: { _, _ in .reply("well") }) { server in
            let result = try await score(settings(server, sample: 5))
            #expect(result.records.count == 5 && result.records.allSatisfy { $0.status == .failed })
            try await expectReproduced(result.runID)
        }
        try await ScriptedChatServer.run(
            script: { _, call in .reply(call == 5 ? Self.good.replacing("low-level", with: "x") : "well") }
        ) { server in
            let result = try await score(settings(server))
            #expect(server.requests.count == 8 && result.records.allSatisfy { $0.status == .failed })
        }
        // One that is of use shows that the others may be.
        try await ScriptedChatServer.run(script: { _, call in .reply(call == 2 ? Self.good : "well") }) { server in
            let result = try await score(settings(server), concurrency: 1)
            #expect(server.requests.count == 8 && result.records.count { $0.status == .ok } == 1)
        }
    }

    @Test("An HTML page in place of replies names the endpoint")
    func aPageInPlaceOfRepliesNamesTheEndpoint() async throws {
        try await ScriptedChatServer.run(script: { _, _ in .nonJSON }) { server in
            let why = try await refusal(settings(server))
            #expect(why?.contains("ends in /v1") == true && server.requests.count == 5)
        }
    }

    /// A judge that answers nothing fails the run, for any number of questions and any failure.
    @Test("A judge that fails throughout fails the run", arguments: [1, 8])
    func aDeadJudgeFailsTheRun(_ sample: Int) async throws {
        let gone = try await ScriptedChatServer.run(script: { _, _ in .hang }) { $0 }
        let why = try await refusal(settings(gone, sample: sample))
        #expect(why?.contains("cannot be reached") == true && why?.contains("`endpoint`") == true)
        for behaviour in [
            ChatBehaviour.status(500, body: "broken"), .truncated, .body(Data(#"{"error":{"code":503}}"#.utf8)),
        ] {
            try await ScriptedChatServer.run(script: { _, _ in behaviour }) { server in
                let settings = settings(server, sample: sample)
                let why = try await refusal(settings, concurrency: 2)
                #expect(why != nil)
                #expect(server.requests.count <= 4)
            }
        }
        #expect(try first("SELECT count(*) FROM run WHERE kind = 'score' AND status = 'failed'") == .integer(4))
        #expect(try first("SELECT count(*) FROM score") == .integer(0))
    }
}
