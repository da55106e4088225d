import ChatEndpoint
import FeatureCatalog
import FeatureScoring
import Foundation

/// Puts questions to a language model: from the catalog's archive where they have been asked before, else from the
/// endpoint, every answer being archived before it is looked at.
final class Interviewer {
    /// What came of a question.
    struct Answer {
        /// The digest under which the exchange is archived.
        let sha256: String
        /// The reply, or why there is none, in one line.
        let reply: Result<ChatReply, Unanswered>
    }

    /// Why there is no reply.
    struct Unanswered: Error, Equatable {
        let reason: String
    }

    private let catalog: Catalog
    private let settings: JudgeSettings
    private let connection: JudgeConnection
    private let client: ChatClient
    private let seed: UInt64
    /// Requests sent so far.
    private(set) var sentCount = 0
    /// What they cost so far.
    private(set) var cost = 0.0

    init(
        catalog: Catalog, settings: JudgeSettings, connection: JudgeConnection, seed: UInt64,
        cancelled: @escaping @Sendable () -> Bool
    ) throws {
        self.catalog = catalog
        self.settings = settings
        self.connection = connection
        self.seed = seed
        do throws(ChatConfigurationError) {
            client = try ChatClient(
                endpoint: settings.endpoint, key: connection.key, policy: RetryPolicy(attempts: connection.attempts),
                timeout: connection.timeout, cancelled: cancelled)
        } catch {
            throw WorkflowError.usage("\(error)")
        }
    }

    /// What is sent for a question. The same question is the same request, byte for byte.
    func request(for question: JudgeQuestion) -> ChatRequest {
        ChatRequest(
            model: settings.llm,
            messages: [
                .init(role: "system", content: question.prompt.instructions),
                .init(role: "user", content: question.material),
            ],
            temperature: 0, maximumTokens: settings.maximumAnswerTokens,
            seed: Int(truncatingIfNeeded: seed % (1 << 31)) &+ settings.attempt,
            topLogProbabilities: question.prompt == .simulation && settings.usesLogProbabilities ? 20 : nil,
            wantsJSON: true)
    }

    /// Which of some questions the archive cannot answer.
    func unanswered(_ questions: [JudgeQuestion]) throws -> [JudgeQuestion] {
        try questions.filter { try catalog.exchange(sha256: digest(of: request(for: $0))) == nil }
    }

    private func digest(of request: ChatRequest) throws -> String {
        ExchangeRecord.sha256(endpoint: settings.endpoint, request: Array(try request.body()))
    }

    /// Asks them all.
    ///
    /// - Parameter progress: told of every answer.
    /// - Throws: `WorkflowError.refused` before or once a limit is exceeded, `.interrupted`, `.badInput` for what
    ///   concerns all requests, such as a wrong key. What was answered until then stays archived.
    func ask(_ questions: [JudgeQuestion], progress: () -> Void) throws -> [Answer] {
        let requests = questions.map(request)
        let digests = try requests.map(digest)
        var replies: [String: Result<ChatReply, Unanswered>] = [:]
        for digest in digests where replies[digest] == nil {
            guard let exchange = try catalog.exchange(sha256: digest) else { continue }
            replies[digest] = Self.reply(in: Data(exchange.reply))
        }
        var pending: [(digest: String, request: ChatRequest)] = []
        var seen = Set(replies.keys)
        for (digest, request) in zip(digests, requests) where seen.insert(digest).inserted {
            pending.append((digest, request))
        }
        for _ in 0..<(questions.count - pending.count) { progress() }
        try checkRequestLimit(pending.count)
        do {
            try client.sendAll(pending.map(\.request), concurrency: connection.concurrency) { index, result in
                replies[pending[index].digest] = try archive(result)
                progress()
            }
        } catch let failure as ChatFailure {
            if failure == .cancelled { throw WorkflowError.interrupted("scoring was stopped; answers so far are kept") }
            throw WorkflowError.refused("\(settings.endpoint): \(failure)")
        }
        return digests.map { digest in
            Answer(sha256: digest, reply: replies[digest] ?? .failure(Unanswered(reason: "it was not asked")))
        }
    }

    private func archive(_ result: Result<Exchange, ChatFailure>) throws -> Result<ChatReply, Unanswered> {
        sentCount += 1
        switch result {
        case .failure(let failure): return .failure(Unanswered(reason: "\(failure)"))
        case .success(let exchange):
            try catalog.write(
                exchange: ExchangeRecord(
                    endpoint: settings.endpoint, llm: settings.llm, request: Array(exchange.requestBody),
                    reply: Array(exchange.replyBody), promptTokenCount: exchange.reply.promptTokens,
                    completionTokenCount: exchange.reply.completionTokens))
            if let price = connection.price {
                cost += price.cost(
                    promptTokens: exchange.reply.promptTokens, completionTokens: exchange.reply.completionTokens)
            }
            if let most = connection.maximumCost, cost > most {
                throw WorkflowError.refused(
                    "--max-cost \(most) is spent; answers so far are kept, and the same command goes on from there")
            }
            return Self.complete(exchange.reply)
        }
    }

    private func checkRequestLimit(_ count: Int) throws(WorkflowError) {
        guard let most = connection.maximumRequests, sentCount + count > most else { return }
        guard most > 0 else { throw .refused("\(count) answers are not in the archive, and nobody may be asked") }
        throw .refused(
            "\(sentCount + count) requests would be sent; allowed by --max-requests: \(most); score fewer features, "
                + "or fewer tests")
    }

    private static func reply(in body: Data) -> Result<ChatReply, Unanswered> {
        do throws(ChatFailure) { return complete(try ChatReply(parsing: body)) } catch {
            return .failure(Unanswered(reason: "\(error)"))
        }
    }

    private static func complete(_ reply: ChatReply) -> Result<ChatReply, Unanswered> {
        reply.finishReason == "length"
            ? .failure(Unanswered(reason: "the answer was cut off at its limit")) : .success(reply)
    }
}
