import ActivationPipeline
import ChatEndpoint
import FeatureCatalog
import FeatureScoring
import Foundation

/// Sends questions to a language model: answered from the catalog's archive if asked before, else by the
/// endpoint; every reply is archived before it is read.
final class Interviewer {
    /// The answer to a question.
    struct Answer {
        /// The digest under which the exchange is archived.
        let sha256: String
        /// The reply, or the reason why there is none, in one line.
        let reply: Result<ChatReply, Unanswered>
    }

    private let catalog: Catalog
    private let settings: JudgeSettings
    private let connection: JudgeConnection
    /// Whether questions missing from the archive are sent to the endpoint.
    private let asks: Bool
    private let client: ChatClient
    private let seed: UInt64
    /// The endpoint's normalised address, under which exchanges are archived.
    private let endpoint: String
    /// The cost of the replies so far.
    private(set) var cost = 0.0
    /// The wrapping removed from usable answers.
    private(set) var wrapping = AnswerWrapping()

    init(
        catalog: Catalog, settings: JudgeSettings, connection: JudgeConnection, asks: Bool, seed: UInt64,
        cancelled: @escaping @Sendable () -> Bool
    ) throws {
        self.catalog = catalog
        self.settings = settings
        self.connection = connection
        self.asks = asks
        self.seed = seed
        do throws(ChatConfigurationError) {
            client = try ChatClient(
                endpoint: settings.endpoint, key: connection.key, policy: RetryPolicy(attempts: connection.attempts),
                timeout: connection.timeout, maximumRequests: connection.maximumRequests, cancelled: cancelled)
        } catch {
            throw WorkflowError.usage("\(error)")
        }
        endpoint = client.baseURL
    }

    /// The request for a question. The same question in the same form is the same request, byte for byte.
    func request(for question: JudgeQuestion, _ form: AnswerForm) -> ChatRequest {
        ChatRequest(
            model: settings.llm,
            messages: [
                .init(role: "system", content: question.prompt.instructions),
                .init(role: "user", content: question.material),
            ],
            temperature: 0, maximumTokens: form.maximumTokens,
            seed: Int(truncatingIfNeeded: seed % (1 << 31)) &+ form.attempt,
            topLogProbabilities: question.prompt == .simulation && form.usesLogProbabilities ? 20 : nil,
            wantsJSON: form.usesJSONMode, limitsCompletion: form.limitsCompletion)
    }

    /// The archived answer: the first usable reply in any form of the question, or an unusable one
    /// to exactly this request.
    ///
    /// - Returns: nil if the question has to be asked.
    func archived(_ question: JudgeQuestion) throws -> Answer? {
        for form in settings.earlierForms + [settings.form] {
            let digest = try digest(of: request(for: question, form))
            guard let exchange = try catalog.exchange(sha256: digest) else { continue }
            let reply = usable(Self.reply(in: Data(exchange.reply)), for: question)
            if case .failure = reply, form != settings.form { continue }
            return Answer(sha256: digest, reply: reply)
        }
        return nil
    }

    private func digest(of request: ChatRequest) throws -> String {
        ExchangeRecord.sha256(endpoint: endpoint, request: Array(try request.body()))
    }

    /// Asks all questions.
    ///
    /// - Parameter progress: told after every answer.
    /// - Throws: `WorkflowError.refused` before or once a limit is exceeded, `.interrupted`, `.badInput` for what
    ///   concerns all requests, such as a wrong key. Earlier answers stay archived.
    func ask(_ questions: [JudgeQuestion], progress: () -> Void) throws -> [Answer] {
        var answers: [JudgeQuestion: Answer] = [:]
        var pending: [JudgeQuestion] = []
        var seen: Set<JudgeQuestion> = []
        for question in questions where seen.insert(question).inserted {
            if let answer = try archived(question) { answers[question] = answer } else { pending.append(question) }
        }
        for _ in 0..<(questions.count - pending.count) { progress() }
        let requests = pending.map { request(for: $0, settings.form) }
        if asks {
            let isTrusted = answers.values.contains { if case .success = $0.reply { true } else { false } }
            try send(pending, requests, isTrusted: isTrusted, progress: progress) { answers[$0] = $1 }
        } else {
            for (question, request) in zip(pending, requests) {
                let missing = Unanswered(reason: "the archive has no answer", isMissing: true)
                answers[question] = Answer(sha256: try digest(of: request), reply: .failure(missing))
                progress()
            }
        }
        for case .success(let reply) in answers.values.map(\.reply) where settings.reading == .unwrapped {
            wrapping.note(UnwrappedAnswer(reply.content))
        }
        return questions.map { question in
            answers[question] ?? Answer(sha256: "", reply: .failure(Unanswered(reason: "it was not asked")))
        }
    }

    private func send(
        _ pending: [JudgeQuestion], _ requests: [ChatRequest], isTrusted: Bool, progress: () -> Void,
        answered: (JudgeQuestion, Answer) -> Void
    ) throws {
        try checkRequestLimit(pending.count)
        let advice = JudgeAdvice(form: settings.form)
        var trial = AnswerTrial(isTrusted: isTrusted)
        var left = pending.count
        var replyCount = 0
        var lastFailure: ChatFailure?
        do {
            try client.sendAll(
                requests, concurrency: connection.concurrency, vanguard: isTrusted ? .max : AnswerTrial.sameReasonLimit,
                isTrusted: isTrusted
            ) { index, result in
                let reply = usable(try archive(result), for: pending[index])
                answered(pending[index], Answer(sha256: try digest(of: requests[index]), reply: reply))
                progress()
                left -= 1
                try checkCost()
                switch result {
                case .failure(.replyTooLarge), .failure(.headersTooLarge): replyCount += 1
                case .failure(let failure): lastFailure = failure
                case .success:
                    replyCount += 1
                    try trial.note(
                        reply, to: pending[index].prompt, left: left, endpoint: settings.endpoint, advice: advice.on)
                }
                if case .success = reply { return true } else { return false }
            }
            if let lastFailure, replyCount == 0, !isTrusted { throw lastFailure }
        } catch let failure as ChatFailure {
            switch failure {
            case .cancelled: throw WorkflowError.interrupted("scoring was stopped; answers so far are kept")
            case .limitReached(let most):
                throw WorkflowError.refused(
                    "all \(most) requests that `maxRequests` allows are sent, those sent again counted; answers so far "
                        + "are kept, and the same command goes on from there")
            default:
                let answered =
                    replyCount > 0
                    ? "; \(replyCount) answers came before and are kept, and the same command goes on from there" : ""
                throw WorkflowError.refused(
                    "\(settings.endpoint): \(failure)\(advice.on(failure))\(answered)")
            }
        }
    }

    /// Archives an exchange, whatever its content.
    private func archive(_ result: Result<Exchange, ChatFailure>) throws -> Result<ChatReply, Unanswered> {
        switch result {
        case .failure(let failure): return .failure(Unanswered(failure))
        case .success(let exchange):
            let record = ExchangeRecord(
                endpoint: endpoint, llm: settings.llm, request: Array(exchange.requestBody),
                reply: Array(exchange.replyBody), promptTokenCount: exchange.usage.promptTokens,
                completionTokenCount: exchange.usage.completionTokens)
            var tooLarge: Unanswered?
            do throws(CatalogError) { try catalog.write(exchange: record) } catch {
                // A reply that cannot be archived cannot count: it could not be reproduced.
                guard error.code == .invalidValue else { throw error }
                tooLarge = Unanswered(
                    reason: "the reply cannot be kept: \(record.reply.count) bytes, too many or too often the same",
                    cause: .tooLarge)
            }
            if let price = connection.price {
                // If the endpoint does not count, four bytes are taken for a token.
                cost += price.cost(
                    promptTokens: exchange.usage.promptTokens ?? exchange.requestBody.count / 4,
                    completionTokens: exchange.usage.completionTokens ?? exchange.replyBody.count / 4)
            }
            if let tooLarge { return .failure(tooLarge) }
            return exchange.reply.mapError { Unanswered($0) }
        }
    }

    private func checkCost() throws(WorkflowError) {
        guard let most = connection.maximumCost, cost > most else { return }
        throw .refused(
            "`maxCost` \(most) is spent; answers so far are kept, and the same command goes on from there")
    }

    private func checkRequestLimit(_ count: Int) throws(WorkflowError) {
        guard let most = connection.maximumRequests, client.sentCount + count > most else { return }
        guard most > 0 else { throw .refused("\(count) answers are not in the archive, and nobody may be asked") }
        throw .refused(
            "\(client.sentCount + count) requests would be sent; allowed by `maxRequests`: \(most); score fewer "
                + "features, or fewer tests")
    }

    private static func reply(in body: Data) -> Result<ChatReply, Unanswered> {
        do throws(ChatFailure) { return .success(try ChatReply(parsing: body)) } catch {
            return .failure(Unanswered(error))
        }
    }

    /// A complete reply of the requested form.
    private func usable(
        _ reply: Result<ChatReply, Unanswered>, for question: JudgeQuestion
    ) -> Result<ChatReply, Unanswered> {
        reply.flatMap { reply in
            if reply.finishReason == "length" { return .failure(.cutOff) }
            do throws(JudgeAnswer.Garbage) {
                try JudgeAnswer.check(reply.content, answers: question, reading: settings.reading ?? .exact)
            } catch {
                // Runs of earlier versions did not say the finish reason.
                return .failure(Unanswered(error, finishReason: settings.reading == nil ? nil : reply.finishReason))
            }
            return .success(reply)
        }
    }
}
