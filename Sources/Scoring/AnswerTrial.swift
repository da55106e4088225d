import ActivationPipeline
import ChatEndpoint
import FeatureScoring

/// Decides from the first answers of a batch whether the others are worth asking.
struct AnswerTrial {
    /// Answers that fail for one reason before the batch is stopped.
    static let sameReasonLimit = 5
    /// The same for any reasons.
    static let limit = 20

    /// Whether the judge is known to give usable answers to such questions; then the batch is never stopped.
    private var isTrusted: Bool
    private var failures: [Unanswered] = []
    private var prompts: Set<JudgePrompt> = []

    init(isTrusted: Bool) {
        self.isTrusted = isTrusted
    }

    /// Notes an answer that came back.
    ///
    /// - Parameters:
    ///   - left: questions of the batch that are not yet answered.
    ///   - advice: a remedy for failures.
    /// - Throws: `WorkflowError.refused` if the others are not worth asking.
    mutating func note(
        _ reply: Result<ChatReply, Unanswered>, to prompt: JudgePrompt, left: Int, endpoint: String,
        advice: (Unanswered.Cause) -> String
    ) throws(WorkflowError) {
        guard case .failure(let failure) = reply else {
            isTrusted = true
            return
        }
        guard !isTrusted else { return }
        failures.append(failure)
        prompts.insert(prompt)
        guard left > 0 else { return }
        let isSame = failures.allSatisfy { $0.cause == failure.cause }
        guard failures.count >= (isSame ? Self.sameReasonLimit : Self.limit) else { return }
        let test = prompts.count == 1 && prompt != .explanation ? ", all to \(prompt.rawValue)," : ""
        throw .refused(
            "\(endpoint): the first \(failures.count) answers\(test) cannot be used, so nothing more is asked: "
                + "\(failure.reason); \(isSame ? advice(failure.cause) : "try another `llm`"); what was answered is kept, and "
                + "the same command goes on with the other questions")
    }
}
