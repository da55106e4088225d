package import Foundation
import JSON

/// Tokens as an endpoint counts (and charges) them.
package struct ChatUsage: Sendable, Equatable {
    /// Tokens of the question; nil where the endpoint does not say.
    package let promptTokens: Int?
    /// Tokens of the reply, likewise.
    package let completionTokens: Int?

    /// Counts of tokens.
    package init(promptTokens: Int?, completionTokens: Int?) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
    }

    /// The largest count that is believed: no context is a thousandth as long.
    package static let maximumCount = 1_000_000_000

    /// Looks for the counts in the body of a reply, which may be anything else: what cannot be used was charged all the
    /// same.
    package init(in body: Data) {
        self.init(in: (try? JSONParser.parse(body)) ?? .null)
    }

    /// Looks for the counts in a reply; what is no whole number in 0…``maximumCount`` is not said.
    init(in reply: JSONValue) {
        let usage = reply["usage"]
        func count(_ key: String) -> Int? {
            if case .integer(let count)? = usage?[key], (0...Self.maximumCount).contains(count) { count } else { nil }
        }
        self.init(promptTokens: count("prompt_tokens"), completionTokens: count("completion_tokens"))
    }
}
