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

/// Failures: what a retry requests again, what resumes, and how failures are reproduced.
extension JudgedScoringTests {
    @Test("Only failed requests are repeated") func whatFailsIsAskedAgainAndNothingElse() async throws {
        let isBroken = Mutex(true)
        let script: ScriptedChatServer.Script = { request, _ in
            guard isBroken.withLock({ $0 }) else { return .reply(Self.answer(request)) }
            let system = Self.system(request)
            if system.contains("\"category\"") { return .reply("I would say 4 of 5!") }
            if system.contains("\"active\"") { return .status(500, body: "no") }
            if system.contains("\"correct\"") { return .reply(#"{"correct": [true"#, finishReason: "length") }
            return .reply(Self.answer(request))
        }
        try await ScriptedChatServer.run(script: script) { server in
            let first = try await score(
                settings(server), connection: JudgeConnection(concurrency: 4, timeout: 600, attempts: 1))
            let reasons: [ScoreMethod: String] = [
                .rubric: "not a JSON object", .detection: "HTTP 500", .fuzzing: "cut off",
            ]
            for (method, reason) in reasons {
                let records = values(first, method).filter { $0.status != .undefined }
                #expect(!records.isEmpty && records.allSatisfy { $0.status == .failed && $0.value == nil })
                #expect(records.allSatisfy { $0.reason?.contains(reason) == true }, "\(records.map(\.reason))")
            }
            #expect(values(first, .simulation).allSatisfy { $0.status != .failed })

            isBroken.withLock { $0 = false }
            let asked = server.requests.count
            let retry = try await onThread { [path] in
                let catalog = try Catalog.open(at: path, mode: .readOnly)
                defer { _ = try? catalog.close() }
                return try ScoringRun.retry(dictionary: nil, in: catalog)
            }
            #expect(retry.judge?.form.attempt == 1 && retry.judge?.earlierForms == [AnswerForm()])
            let second = try await score(retry)
            #expect(second.records.allSatisfy { $0.status != .failed })
            #expect(second.features == first.features && second.records.count == first.records.count)
            // What was answered is as it was.
            #expect(values(second, .simulation).map(\.value) == values(first, .simulation).map(\.value))
            #expect(
                values(second, .simulation).map(\.baselineValue) == values(first, .simulation).map(\.baselineValue))
            let systems = Set(server.requests.dropFirst(asked).map(Self.system))
            #expect(systems == Set([JudgePrompt.detection, .fuzzing, .rubric].map(\.instructions)))
            await #expect(throws: WorkflowError.self) {
                try await onThread { [path] in
                    let catalog = try Catalog.open(at: path, mode: .readOnly)
                    defer { _ = try? catalog.close() }
                    _ = try ScoringRun.retry(dictionary: nil, in: catalog)
                }
            }
        }
    }

    func retry(_ adjust: @escaping @Sendable (inout AnswerForm) -> Void = { _ in }) async throws
        -> ScoringSettings
    {
        try await onThread { [path] in
            let catalog = try Catalog.open(at: path, mode: .readOnly)
            defer { _ = try? catalog.close() }
            return try ScoringRun.retry(dictionary: nil, in: catalog, adjust: adjust)
        }
    }

    func reproduced(_ runID: Int64, _ name: String) async throws -> [Reproduction.Comparison] {
        try await onThread { [path, directory] in
            let catalog = try Catalog.open(at: path, mode: .readOnly)
            defer { _ = try? catalog.close() }
            return try Reproduction(
                settings: .init(runID: runID, scratch: directory.file(name)), workers: Workers(threads: 1)
            ).run(on: catalog)
        }
    }

    /// Some answers are garbage, some cut off, some are HTML pages: exactly these are requested
    /// again, and the result equals that without failures.
    @Test("A retry repeats no request already answered") func aRetryAsksForNothingThatIsThere() async throws {
        let isBroken = Mutex(true)
        let broken = Mutex<Set<Data>>([])
        let script: ScriptedChatServer.Script = { request, call in
            guard isBroken.withLock({ $0 }), call % 7 == 3 else { return .reply(Self.answer(request)) }
            broken.withLock { _ = $0.insert(Data(request.prompt.utf8)) }
            switch call % 3 {
            case 0: return .reply("certainly")
            case 1: return .reply(Self.answer(request), finishReason: "length")
            default: return .nonJSON
            }
        }
        try await ScriptedChatServer.run(script: script) { server in
            let first = try await score(settings(server))
            #expect(first.records.contains { $0.status == .failed })
            isBroken.withLock { $0 = false }
            let asked = server.requests.count
            let kept = try count("SELECT count(*) FROM exchange")
            #expect(kept == asked, "whatever came back is kept")
            // The same command again meets the same answers.
            #expect(try await score(settings(server)).records.map(\.status) == first.records.map(\.status))
            #expect(server.requests.count == asked)

            let settings = try await retry { $0.maximumTokens = 2048 }
            let second = try await score(settings)
            #expect(second.records.allSatisfy { $0.status != .failed })
            let again = server.requests.dropFirst(asked)
            let failed = broken.withLock { $0 }
            #expect(again.allSatisfy { $0.json["max_tokens"] as? Int == 2048 })
            // Explanations that failed open questions of their own; of the questions asked before, only failures.
            let known = Set(server.requests.prefix(asked).map { Data($0.prompt.utf8) })
            #expect(again.allSatisfy { !known.contains(Data($0.prompt.utf8)) || failed.contains(Data($0.prompt.utf8)) })
            await #expect(throws: WorkflowError.self) { _ = try await retry() }

            // All of it from the archive, the retry as well.
            let total = server.requests.count
            for run in [first.runID, second.runID] {
                let comparisons = try await reproduced(run, "scratch-\(run).sqlite")
                #expect(comparisons.count >= 2 && comparisons.allSatisfy(\.isSame), "\(comparisons)")
            }
            #expect(server.requests.count == total)

            // An endpoint that never failed gives the same scores.
            let (honest, written) = (try await scoreElsewhere(), second.records)
            for record in written {
                let other = honest.first { $0.featureIndex == record.featureIndex && $0.method == record.method }
                #expect(other?.value == record.value && other?.baselineValue == record.baselineValue)
            }
        }
    }

    /// The scores of an honest judge in a copy of the catalog without any.
    func scoreElsewhere() async throws -> [ScoreRecord] {
        let copy = directory.file("copy.sqlite")
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        try execute("DELETE FROM score; DELETE FROM explanation; DELETE FROM exchange", copy)
        return try await ScriptedChatServer.run(script: Self.honest) { server in
            let settings = settings(server)
            return try await onThread {
                let catalog = try Catalog.open(at: copy, mode: .readWrite)
                defer { _ = try? catalog.close() }
                return try ScoringRun(
                    settings: settings, workers: Workers(threads: 1),
                    connection: JudgeConnection(concurrency: 4, timeout: 600)
                ).run(on: catalog).records
            }
        }
    }

    @Test("An interrupted run resumes") func whatIsBrokenOffGoesOn() async throws {
        try await ScriptedChatServer.run(script: Self.honest) { server in
            let settings = settings(server, tests: [.rubric, .simulation])
            await #expect(throws: WorkflowError.self) {
                _ = try await score(settings, cancelled: { server.requests.count >= 20 })
            }
            #expect(try count("SELECT count(*) FROM score") == 0)
            #expect(try count("SELECT count(*) FROM run WHERE status = 'interrupted'") == 1)
            let kept = try count("SELECT count(*) FROM exchange")
            let asked = server.requests.count
            #expect(kept > 0 && kept <= asked)
            let result = try await score(settings)
            #expect(result.records.allSatisfy { $0.status != .failed })
            let all = try count("SELECT count(*) FROM exchange")
            #expect(all == kept + server.requests.count - asked)
        }
    }

    @Test("Retrying named features covers no others") func aRetryOfNamedFeaturesStandsForNoOthers() async throws {
        let isBroken = Mutex(true)
        let script: ScriptedChatServer.Script = { request, call in
            let fails = isBroken.withLock { $0 } && call.isMultiple(of: 2) && request.prompt.contains("\"tokens\"")
            return .reply(fails ? "certainly" : Self.answer(request))
        }

        let loud = try count("SELECT feature_index FROM feature ORDER BY n_fired DESC LIMIT 1")
        let next = try count("SELECT feature_index FROM feature ORDER BY n_fired DESC LIMIT 1 OFFSET 1")
        try await ScriptedChatServer.run(script: script) { server in
            var settings = settings(server, tests: [.simulation])
            settings.features = [loud, next]
            let first = try await score(settings)
            #expect(first.records.allSatisfy { $0.status == .failed })
            isBroken.withLock { $0 = false }
            let second = try await score(try await retry())
            #expect(second.records.count == 2 && second.records.allSatisfy { $0.status != .failed })
            let figures = try figures(IndexingKey(dictionaryID: first.dictionaryID, corpusID: 1))
            #expect(figures.all.scoredCount == 2 && figures.all.population == nil)
        }
    }

    /// A request without a reply is not in the archive, and fails again with the recorded reason.
    @Test("Failures are reproduced too") func failuresAreReproducedToo() async throws {
        let isBroken = Mutex(true)
        let script: ScriptedChatServer.Script = { request, call in
            guard isBroken.withLock({ $0 }) else { return .reply(Self.answer(request)) }
            switch call % 14 {
            case 3: return .status(500, body: "no \(call)")
            case 8: return .truncated
            case 11: return .reply("certainly")
            default: return .reply(Self.answer(request))
            }
        }
        try await ScriptedChatServer.run(script: script) { server in
            let connection = JudgeConnection(concurrency: 4, timeout: 600, attempts: 1)
            let first = try await score(settings(server), connection: connection)
            let reasons = first.records.compactMap(\.reason)
            #expect(reasons.contains { $0.contains("HTTP 500") } && reasons.contains { $0.contains("connection") })
            let comparisons = try await reproduced(first.runID, "scratch-1.sqlite")
            #expect(comparisons.count >= 2 && comparisons.allSatisfy(\.isSame), "\(comparisons)")
            let recorded = try details(of: path, runID: first.runID)
            let again = try details(of: directory.file("scratch-1.sqlite"), runID: nil)
            #expect(again == recorded && again.count == first.records.count)

            // What was answered later was not there.
            isBroken.withLock { $0 = false }
            let kept = try count("SELECT max(exchange_id) FROM exchange")
            let second = try await score(settings(server), connection: connection)
            #expect(try count("SELECT count(*) FROM exchange WHERE exchange_id > \(kept)") > 0)
            try execute(
                "UPDATE exchange SET created_at = '2999-01-01T00:00:00Z' WHERE exchange_id > \(kept)", path)
            let later = try await reproduced(first.runID, "scratch-2.sqlite")
            #expect(later.count >= 2 && later.allSatisfy(\.isSame), "\(later)")

            // What has a score had an answer.
            #expect(second.records.contains { $0.status == .ok })
            try execute("DELETE FROM exchange", path)
            await #expect(throws: WorkflowError.self) { _ = try await reproduced(first.runID, "scratch-3.sqlite") }
        }
    }

    /// A run's details by feature and method; the last run's if none is named.
    func details(of path: String, runID: Int64?) throws -> [String: String?] {
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        let scores = try catalog.scores(dictionaryID: 1)
        let runID = runID ?? scores.map(\.runID).max()
        return Dictionary(
            scores.filter { $0.runID == runID }.map { ("\($0.featureIndex) \($0.method)", $0.detailJSON) },
            uniquingKeysWith: { $1 })
    }
}
