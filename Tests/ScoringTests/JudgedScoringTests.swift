import ActivationPipeline
import CatalogMaintenance
import ChatServerSupport
import FeatureCatalog
import FeatureScoring
import Foundation
import GRDB
import Indexing
import LinearAlgebra
import Scoring
import Synchronization
import TestSupport
import Testing
import Vocabulary
import WorkflowWorlds

/// Scores by a language model behind a real endpoint, played by a competent script.
@Suite struct JudgedScoringTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file("c.sqlite")
        try JudgedWorld.catalog(at: path)
    }

    /// A judge that explains a feature by its most frequent token, and predicts by it.
    static let honest: ScriptedChatServer.Script = { request, _ in .reply(answer(request)) }

    static func answer(_ request: ReceivedRequest) -> String {
        let material = (try? JSONSerialization.jsonObject(with: Data(request.prompt.utf8))) as? [String: Any] ?? [:]
        func json(_ object: [String: Any]) -> String {
            String(decoding: (try? JSONSerialization.data(withJSONObject: object)) ?? Data(), as: UTF8.self)
        }

        let token = (material["explanation"] as? String ?? "").dropFirst("on ".count).description
        if let tokens = material["tokens"] as? [String] {
            return json(["activations": tokens.map { $0.trimmed == token ? 10 : 0 }])
        }
        if let texts = material["texts"] as? [String] {
            guard system(request).contains("\"correct\"") else {
                return json(["active": texts.map { $0.contains(token) }])
            }
            return json([
                "correct": texts.map { text in
                    text.components(separatedBy: "⟦").dropFirst()
                        .contains { $0.prefix { $0 != "⟧" }.contains(token) }
                }
            ])
        }

        let excerpts = material["excerpts"] as? [[String: Any]] ?? []
        var levels: [String: Int] = [:]
        for activation in excerpts.flatMap({ $0["activations"] as? [[String: Any]] ?? [] }) {
            levels[(activation["token"] as? String ?? "").trimmed, default: 0] += activation["activation"] as? Int ?? 0
        }

        let best = levels.max { $0.value != $1.value ? $0.value < $1.value : $0.key > $1.key }?.key ?? ""
        return system(request).contains("\"category\"")
            ? json(["category": "low-level", "score": 4, "explanation": "on \(best)"])
            : json(["explanation": "on \(best)"])
    }

    static func system(_ request: ReceivedRequest) -> String {
        (request.json["messages"] as? [[String: Any]])?.first?["content"] as? String ?? ""
    }

    func settings(_ server: ScriptedChatServer, tests: [JudgePrompt] = JudgeSettings.allTests)
        -> ScoringSettings
    {
        ScoringSettings(
            sample: 8, minimumFirings: 20,
            judge: JudgeSettings(endpoint: server.endpoint, llm: "scripted", tests: tests), seed: 4)
    }

    func score(
        _ settings: ScoringSettings,
        connection: JudgeConnection = JudgeConnection(concurrency: 4, timeout: 600, attempts: 2),
        cancelled: @escaping @Sendable () -> Bool = { false }
    ) async throws -> ScoringRun.Result {
        try await onThread { [path] in
            let catalog = try Catalog.open(at: path, mode: .readWrite)
            defer { _ = try? catalog.close() }
            return try ScoringRun(settings: settings, workers: Workers(threads: 1), connection: connection).run(
                on: catalog, cancelled: cancelled)
        }
    }

    func values(_ result: ScoringRun.Result, _ method: ScoreMethod) -> [ScoreRecord] {
        result.records.filter { $0.method == method }
    }

    func mean(_ values: [Double?]) -> Double {
        let defined = values.compactMap(\.self)
        return defined.reduce(0, +) / Double(max(1, defined.count))
    }

    func count(_ sql: String) throws -> Int {
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        guard case .integer(let count)? = try catalog.rows(sql: sql).rows.first?.first else { return -1 }
        return Int(count)
    }

    @Test("A good judge scores above the baseline and is asked once")
    func aGoodJudgeScoresAboveChanceAndIsAskedOnce() async throws {
        try await ScriptedChatServer.run(script: Self.honest) { server in
            let settings = settings(server)
            let plan = try await onThread { [path] in
                let catalog = try Catalog.open(at: path, mode: .readOnly)
                defer { _ = try? catalog.close() }
                return try ScoringRun(settings: settings, workers: Workers(threads: 1)).plan(on: catalog)
            }
            #expect(server.requests.isEmpty && plan.answered == 0 && plan.features == 8)
            #expect(plan.examples.map(\.prompt) == JudgePrompt.allCases)

            let result = try await score(settings)
            #expect(result.records.count == 8 * 4 && result.records.allSatisfy { $0.status != .failed })
            // Whole texts hold a common token whether or not the feature fires, so detection gains least.
            for (method, gain) in [(ScoreMethod.simulation, 0.1), (.detection, 0.02), (.fuzzing, 0.05)] {
                let records = values(result, method)
                #expect(mean(records.map(\.value)) > mean(records.map(\.baselineValue)) + gain, "\(method)")
                #expect(records.contains { $0.baselineValue != nil })
            }
            #expect(values(result, .rubric).allSatisfy { $0.value == 4 && $0.category == .lowLevel })
            #expect(plan.requests >= server.requests.count)
            // Questions that are the same, of a feature and its chance, are one exchange.
            #expect(try count("SELECT count(*) FROM exchange") == server.requests.count)
            #expect(server.maximumInFlight <= 4)

            // Again: nobody is asked, and everything is the same.
            let asked = server.requests.count
            let again = try await score(settings)
            #expect(server.requests.count == asked)
            #expect(again.records.map(\.value) == result.records.map(\.value))
            #expect(again.records.map(\.baselineValue) == result.records.map(\.baselineValue))
            #expect(again.records.map(\.detailJSON) == result.records.map(\.detailJSON))

            // Reproduced from the archive alone.
            let comparisons = try await onThread { [path, directory] in
                let catalog = try Catalog.open(at: path, mode: .readOnly)
                defer { _ = try? catalog.close() }
                return try Reproduction(
                    settings: .init(runID: result.runID, scratch: directory.file("scratch.sqlite")),
                    workers: Workers(threads: 1)
                ).run(on: catalog)
            }
            #expect(comparisons.allSatisfy { $0.recorded == $0.reproduced } && comparisons.count >= 2)
            #expect(server.requests.count == asked)
            let catalog = try Catalog.open(at: path, mode: .readOnly)
            #expect(try catalog.verify() == [])
            try catalog.close()
        }
    }

    func execute(_ sql: String, _ path: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }

    /// Extreme numbers in an untrusted catalog are refused or harmless.
    @Test(arguments: [
        "UPDATE passage SET first_token = 9223372036854775807 - passage_id",
        "UPDATE passage SET segment = 9223372036854775807",
        "UPDATE run SET config = replace(config, '\"context\":64', '\"context\":-9223372036854775808')",
        "UPDATE run SET config = replace(config, '\"context\":64', '\"context\":9223372036854775807')",
        "UPDATE run SET config = 'nonsense'",
    ])
    func hostileNumbersDoNotTrap(sql: String) async throws {
        try execute(sql, path)
        let settings = ScoringSettings(
            judge: JudgeSettings(endpoint: "http://127.0.0.1:9/v1", llm: "nobody"), seed: 4)
        do {
            let plan = try await plan(settings)
            #expect(sql.contains("config") && plan.requests > 0)
        } catch {
            #expect(sql.contains("passage") && "\(error)".split(separator: "\n").count == 1)
        }

        let path = path
        try await onThread {
            let catalog = try Catalog.open(at: path, mode: .readOnly)
            defer { _ = try? catalog.close() }
            #expect(throws: WorkflowError.self) { _ = try ScoringRun.retry(dictionary: nil, in: catalog) }
        }
    }

    @Test("Scores of different scorers are kept apart") func scorersAreNotMixed() async throws {
        let words = try await onThread { [path] in
            let catalog = try Catalog.open(at: path, mode: .readWrite)
            defer { _ = try? catalog.close() }
            return try ScoringRun(
                settings: ScoringSettings(sample: 12, seed: 1), workers: Workers(threads: 1)
            ).run(on: catalog)
        }
        try await ScriptedChatServer.run(script: Self.honest) { server in
            let judged = try await score(settings(server, tests: [.simulation]))
            let key = IndexingKey(dictionaryID: judged.dictionaryID, corpusID: 1)
            let catalog = try Catalog.open(at: path, mode: .readOnly)
            defer { _ = try? catalog.close() }
            let newest = try #require(try ScoreFigures.of(key, in: catalog))
            #expect(newest.scorer == "scripted" && newest.scorers == ["scripted", "observed-ngram"])
            #expect(newest.all.scoredCount == 8)
            let first = try #require(try ScoreFigures.of(key, scorer: "observed-ngram", in: catalog))
            #expect(first.all.scoredCount == 12)
            let defined = words.scores.compactMap(\.self)
            #expect(abs((first.all.meanScore?.mean ?? 0) - defined.reduce(0, +) / Double(defined.count)) < 1e-12)
            // Both drew from the features that fired 20 times or more.
            #expect(first.all.population == newest.all.population && (first.all.population ?? 0) >= 12)
            #expect(throws: WorkflowError.self) { _ = try ScoreFigures.of(key, scorer: "nobody", in: catalog) }
        }
    }

    @Test("Features that never fired are skipped") func ofWhatNeverFiredNothingIsAsked() async throws {
        let silent = try count("SELECT feature_index FROM feature WHERE n_fired > 0 ORDER BY n_fired LIMIT 1")
        let loud = try count("SELECT feature_index FROM feature ORDER BY n_fired DESC LIMIT 1")
        try execute(
            """
            DELETE FROM feature_context WHERE feature_index = \(silent)
            """, path)
        try await ScriptedChatServer.run(script: Self.honest) { server in
            var settings = settings(server)
            settings.features = [silent, loud]
            let result = try await score(settings)
            let records = result.records.filter { $0.featureIndex == silent }
            #expect(records.count == 4 && records.allSatisfy { $0.status == .undefined && $0.value == nil })
            #expect(result.records.contains { $0.featureIndex == loud && $0.status == .ok })
            #expect(server.requests.allSatisfy { !$0.prompt.contains(#""excerpts":[]"#) })
        }
    }

    /// By B: some features that A explained, and others without explanation.
    @Test("A run that scores existing explanations is its own scorer")
    func aRunThatJudgesWhatIsThereIsAScorerOfItsOwn() async throws {
        let isBroken = Mutex(true)
        let script: ScriptedChatServer.Script = { request, call in
            guard request.json["model"] as? String == "b" else { return .reply(Self.answer(request)) }
            let fails = isBroken.withLock { $0 } && call.isMultiple(of: 5)
            // In other words than A's.
            return .reply(fails ? "certainly" : Self.answer(request).replacing("\"on ", with: "\"at "))
        }
        try await ScriptedChatServer.run(script: script) { server in
            func settings(_ llm: String, sample: Int, _ explanations: JudgeSettings.Explanations) -> ScoringSettings {
                var settings = self.settings(server, tests: [.simulation])
                settings.sample = sample
                settings.judge?.llm = llm
                settings.judge?.explanations = explanations
                return settings
            }

            let explained = try await score(settings("a", sample: 6, .written))
            let judged = try await score(settings("b", sample: 12, .newest))
            #expect(judged.records.contains { $0.status == .failed })
            isBroken.withLock { $0 = false }
            let own = try await score(settings("b", sample: 6, .written))
            #expect(own.features == explained.features && own.records.allSatisfy { $0.status != .failed })

            // That B did well with explanations of its own makes nothing good; nor are they those that were tested.
            let again = try await retry()
            #expect(again.judge?.explanations == .newest && again.judge?.llm == "b")
            let retried = try await score(again)
            #expect(!retried.records.isEmpty && retried.records.allSatisfy { $0.status != .failed })
            for record in retried.records {
                let first = judged.records.first { $0.featureIndex == record.featureIndex }
                #expect(record.explanationID == first?.explanationID && record.explanationID != nil)
            }

            let key = IndexingKey(dictionaryID: judged.dictionaryID, corpusID: 1)
            let figures = try figures(key)
            #expect(figures.scorers == ["a judged by b", "b", "a"])
            #expect(figures.all.scoredCount == 12 && figures.all.undefinedCount >= 6)
            #expect((figures.all.population ?? 0) >= 12, "a retry is of the sample of its run")
            let comparisons = try await reproduced(retried.runID, "scratch.sqlite")
            #expect(comparisons.count >= 1 && comparisons.allSatisfy(\.isSame), "\(comparisons)")
        }
    }

    func figures(_ key: IndexingKey) throws -> ScoreFigures.Table {
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        return try #require(try ScoreFigures.of(key, in: catalog))
    }

    @Test("A test whose examples all have the same answer is skipped")
    func whatNoAnswerCouldTellApartIsNotAsked() async throws {
        // Without quiet texts, the feature fires in all that are held.
        let path = path
        try await onThread {
            let catalog = try Catalog.open(at: path, mode: .readWrite)
            defer { _ = try? catalog.close() }
            _ = try IndexingRun(
                settings: IndexingSettings(
                    model: DemoModel.path, text: [repositoryFile("Demo/text/heldout/bible.jsonl")], corpus: "loud",
                    options: IndexingOptions(maximumTokens: 5000, context: 64, quietContexts: 0)),
                workers: Workers(threads: 2)
            ).run(on: catalog)
        }
        try await ScriptedChatServer.run(script: Self.honest) { server in
            let result = try await score(settings(server, tests: [.detection]))
            #expect(!result.records.isEmpty && result.records.allSatisfy { $0.status == .undefined })
            #expect(server.requests.allSatisfy { Self.system($0) == JudgePrompt.explanation.instructions })
        }
    }

    @Test("The key is sent to the endpoint only") func theKeyGoesToTheEndpointAndNowhereElse() async throws {
        let key = "sk-very-secret-1234567890"
        try await ScriptedChatServer.run(script: Self.honest) { server in
            _ = try await score(settings(server, tests: [.rubric]), connection: JudgeConnection(key: key))
            #expect(server.requests.allSatisfy { $0.headers["authorization"] == "Bearer \(key)" })
        }
        try await ScriptedChatServer.run(script: { _, _ in .status(401, body: "bad key \(key)") }) { server in
            do {
                _ = try await score(
                    settings(server, tests: [.rubric]), connection: JudgeConnection(key: key, concurrency: 2))
                Issue.record("it was accepted")
            } catch {
                #expect("\(error)".contains("401") && !"\(error)".contains(key))
            }
            // What is wrong for one is wrong for all.
            #expect(server.requests.count <= 2)
        }
        for file in try FileManager.default.contentsOfDirectory(atPath: directory.url.path) {
            let bytes = try Data(contentsOf: directory.url.appending(path: file))
            #expect(bytes.range(of: Data(key.utf8)) == nil, "\(file)")
        }
    }
}

extension StringProtocol {
    fileprivate var trimmed: String { trimmingCharacters(in: .whitespaces) }
}
