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

/// Plans: what would be asked, and the limits on it.
extension JudgedScoringTests {
    func plan(_ settings: ScoringSettings) async throws -> ScoringRun.JudgePlan {
        try await onThread { [path] in
            let catalog = try Catalog.open(at: path, mode: .readOnly)
            defer { _ = try? catalog.close() }
            return try ScoringRun(settings: settings, workers: Workers(threads: 1)).plan(on: catalog)
        }
    }

    @Test("A plan counts what is already stored") func aPlanKnowsWhatIsThere() async throws {
        try await ScriptedChatServer.run(script: Self.honest) { server in
            let settings = settings(server)
            let before = try await plan(settings)
            #expect(before.answered == 0)
            _ = try await score(settings)
            let after = try await plan(settings)
            #expect(after.answered == after.requests && after.requests > 0)
            // Another spelling of the endpoint is the same endpoint.
            var other = settings
            other.judge?.endpoint += "/"
            #expect(try await plan(other).answered == after.requests)
        }
    }

    @Test func limitsHold() async throws {
        try await ScriptedChatServer.run(script: Self.honest) { server in
            let settings = settings(server)
            await #expect(throws: WorkflowError.self) {
                _ = try await score(settings, connection: JudgeConnection(maximumRequests: 10))
            }
            #expect(server.requests.isEmpty)
            await #expect(throws: WorkflowError.self) {
                _ = try await score(settings, connection: JudgeConnection(maximumCost: 1))
            }
            #expect(server.requests.isEmpty, "without a price no cost can be limited")
            // What is estimated to cost too much is not begun.
            await #expect(throws: WorkflowError.self) {
                let price = TokenPrice(input: 1e6, output: 0)
                _ = try await score(settings, connection: JudgeConnection(maximumCost: 100, price: price))
            }
            #expect(server.requests.isEmpty)
        }
        // Replies that cost more than was estimated end the run once the sum is spent; what was answered stays.
        let dear: ScriptedChatServer.Script = { request, _ in
            let body = String(decoding: ChatBehaviour.replyBody(Self.answer(request)), as: UTF8.self)
            return .body(Data(body.replacing("\"prompt_tokens\":12", with: "\"prompt_tokens\":1000000").utf8))
        }
        try await ScriptedChatServer.run(script: dear) { server in
            await #expect(throws: WorkflowError.self) {
                let price = TokenPrice(input: 10, output: 0)
                _ = try await score(
                    settings(server), connection: JudgeConnection(concurrency: 1, maximumCost: 45, price: price))
            }
            #expect((5...7).contains(server.requests.count), "\(server.requests.count)")
            let kept = try count("SELECT count(*) FROM exchange")
            #expect(kept >= 5)
        }
    }

    @Test("One missing explanation does not plan them all")
    func oneMissingExplanationDoesNotMakeAPlanForAll() async throws {
        try await ScriptedChatServer.run(script: Self.honest) { server in
            let settings = settings(server)
            let before = try await plan(settings)
            _ = try await score(settings)
            try execute(
                """
                DELETE FROM exchange
                WHERE sha256 = (SELECT detail ->> '$.exchange' FROM explanation ORDER BY explanation_id LIMIT 1)
                """, path)
            let after = try await plan(settings)
            let missing = after.requests - after.answered
            // The explanation, and what rests on it: its feature's tests, and the chance of another feature.
            #expect(missing > 1 && 2 * missing < after.requests, "\(after)")
            #expect(after.requests <= before.requests)
            #expect(after.promptTokens > 0 && 2 * after.promptTokens < before.promptTokens)
        }
    }
}
