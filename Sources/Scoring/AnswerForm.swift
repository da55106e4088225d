/// The form of a judge's request apart from the question: limits, options, attempt.
package struct AnswerForm: Sendable, Codable, Equatable {
    /// Tokens of an answer at most.
    package var maximumTokens: Int
    /// Whether the limit is sent as `max_completion_tokens`, as some models require, instead of `max_tokens`.
    package var limitsCompletion: Bool
    /// Whether log-probabilities of the answers are asked for, which make simulated activations finer.
    package var usesLogProbabilities: Bool
    /// Whether the endpoint is asked to enforce JSON.
    package var usesJSONMode: Bool
    /// Counts retries of failures: it is part of the request, so that a retry is sent
    /// instead of answered from the archive.
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
