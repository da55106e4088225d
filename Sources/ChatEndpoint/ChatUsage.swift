public import Foundation
import StrictJSON

/// Tokens as an endpoint counts (and charges) them.
public struct ChatUsage: Sendable, Equatable {
    /// Tokens of the question; nil where the endpoint does not say.
    public let promptTokens: Int?
    /// Tokens of the reply, likewise.
    public let completionTokens: Int?

    /// Counts of tokens.
    public init(promptTokens: Int?, completionTokens: Int?) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
    }

    /// Looks for the counts in the body of a reply, which may be anything else: what cannot be used was charged all the
    /// same.
    public init(in body: Data) {
        let usage = (try? JSONParser.parse(body))?["usage"]
        func count(_ key: String) -> Int? {
            if case .integer(let count)? = usage?[key], count >= 0 { count } else { nil }
        }
        self.init(promptTokens: count("prompt_tokens"), completionTokens: count("completion_tokens"))
    }
}
