import ChatEndpoint
import FeatureScoring

/// Why a question has no answer.
struct Unanswered: Error, Equatable {
    /// The cause, as far as it suggests a remedy.
    enum Cause: Hashable {
        /// The answer reached its limit of tokens.
        case cutOff
        /// The reply has no text; by its finish reason.
        case empty(String?)
        /// The model refuses, or a filter withholds the answer.
        case withheld
        /// The model calls a tool.
        case toolCall
        /// It begins with a think block that does not end.
        case openThoughts
        /// It ends a think block that did not begin.
        case strayThoughts
        /// It is not a JSON object.
        case form
        /// It has other keys or values than requested.
        case content
        /// The body is not a reply of a chat endpoint.
        case malformed
        /// The log-probabilities in the reply are malformed.
        case logProbabilities
        /// The reply is too large to be kept.
        case tooLarge
        /// Anything specific to the question, such as its number of values.
        case other(String)
    }

    let reason: String
    let cause: Cause
    /// Whether the archive has no reply and no endpoint is asked.
    let isMissing: Bool

    init(reason: String, cause: Cause? = nil, isMissing: Bool = false) {
        self.reason = reason
        self.cause = cause ?? .other(reason)
        self.isMissing = isMissing
    }

    /// A reply that is cut off at its limit of tokens.
    static let cutOff = Unanswered(
        reason: "the answer was cut off at its limit; `maxAnswerTokens` raises it", cause: .cutOff)

    /// A failure of the exchange.
    init(_ failure: ChatFailure) {
        switch failure {
        case .noAnswer(finishReason: "length", _): self = .cutOff
        case .noAnswer(let finishReason, let refusal):
            let cause: Cause =
                switch finishReason {
                case "content_filter", "refusal": .withheld
                case "tool_calls", "function_call": .toolCall
                default: refusal != nil ? .withheld : .empty(finishReason)
                }
            self.init(reason: "\(failure)", cause: cause)
        case .malformedReply(let reason):
            self.init(reason: "\(failure)", cause: reason.contains("logprob") ? .logProbabilities : .malformed)
        default: self.init(reason: "\(failure)")
        }
    }

    /// An answer of the wrong form; `finishReason` is mentioned unless it is the usual one.
    init(_ garbage: JudgeAnswer.Garbage, finishReason: String?) {
        let unusual = finishReason.flatMap { $0 == "stop" ? nil : " (finish_reason \($0.prefix(40)))" } ?? ""
        let reason = garbage.description + unusual
        switch garbage.kind {
        case .form: self.init(reason: reason, cause: finishReason == "content_filter" ? .withheld : .form)
        case .openThoughts: self.init(reason: reason, cause: .openThoughts)
        case .strayThoughts: self.init(reason: reason, cause: .strayThoughts)
        case .keys, .value: self.init(reason: reason, cause: .content)
        case .count: self.init(reason: reason)
        }
    }
}
