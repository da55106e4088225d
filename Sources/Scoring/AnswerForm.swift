/// How a judge is to answer, and the how manieth time it is asked: all of a request that is not the question.
package struct AnswerForm: Sendable, Codable, Equatable {
    /// Tokens of an answer at most.
    package var maximumTokens: Int
    /// Whether that limit is sent as `max_completion_tokens`, which some models want, and not as `max_tokens`.
    package var limitsCompletion: Bool
    /// Whether log-probabilities of the answers are asked for, which make simulated activations finer.
    package var usesLogProbabilities: Bool
    /// Whether the endpoint is asked to see to it that the answer is JSON.
    package var usesJSONMode: Bool
    /// Counts the times that failures were tried again: it goes into the request, so that an answer that was garbage is
    /// asked for anew and not taken from the archive.
    package var attempt: Int

    /// Describes a form.
    package init(
        maximumTokens: Int = 1024, limitsCompletion: Bool = false, usesLogProbabilities: Bool = true,
        usesJSONMode: Bool = true, attempt: Int = 0
    ) {
        self.maximumTokens = maximumTokens
        self.limitsCompletion = limitsCompletion
        self.usesLogProbabilities = usesLogProbabilities
        self.usesJSONMode = usesJSONMode
        self.attempt = attempt
    }
}
