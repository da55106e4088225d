import ChatEndpoint

/// Suggests options for a judge whose answers are unusable or missing.
struct JudgeAdvice {
    let form: AnswerForm

    /// A suggestion for unusable answers.
    func on(_ cause: Unanswered.Cause) -> String {
        switch cause {
        case .cutOff:
            "a model that thinks before it answers needs more than \(form.maximumTokens) tokens: raise "
                + "`maxAnswerTokens`, or turn its thinking off at the server"
        case .openThoughts:
            "raise `maxAnswerTokens`, or turn the model's thinking off at the server"
        case .strayThoughts:
            "let the server take the thoughts out (vLLM: --reasoning-parser; llama.cpp: --reasoning-format), or turn "
                + "the model's thinking off there"
        case .withheld: "leave such features out with `where`, or try another `llm`"
        case .toolCall: "turn tools off at the server, or try another `llm`"
        case .empty, .form:
            form.usesJSONMode
                ? "if the server does not know JSON mode, try `noJsonMode`; a model that thinks may need more "
                    + "`maxAnswerTokens`; else another `llm`"
                : "leave `noJsonMode` out, so that JSON is asked for, or try another `llm`"
        case .content, .other: "try another `llm`, or leave a test out with `tests`"
        case .malformed:
            "`endpoint` has to be the base address of an OpenAI-compatible API, which mostly ends in /v1"
        case .logProbabilities: "try `noLogProbabilities`"
        case .tooLarge: "lower `maxAnswerTokens`, or try `noLogProbabilities`"
        }
    }

    /// A suggestion for missing answers; empty if the failure itself contains one.
    func on(_ failure: ChatFailure) -> String {
        switch failure {
        case .unreachable: "; is the server running, and is `endpoint` its address?"
        case .connection: "; see whether the server is running and speaks HTTP"
        case .timedOut: "; `timeout` gives it longer, a lower `concurrency` asks less at once"
        case .rateLimited(nil): " with a lower `concurrency`"
        case .replyTooLarge, .headersTooLarge: "; \(on(.tooLarge))"
        case .http(let status, _) where [400, 422].contains(status),
            .reported(let status, _) where [400, 422].contains(status):
            "; if it does not know a part of the request, try `noLogProbabilities`, `noJsonMode` or "
                + "`limitCompletion`; if the question is too long, a lower `excerpts`"
        case .http(500..., _), .reported(500..., _): "; see the server's log, or try a lower `concurrency`"
        default: ""
        }
    }
}
