package import Foundation
import JSON

/// Tokens as counted (and charged) by an endpoint.
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

    /// The largest plausible count.
    package static let maximumCount = 1_000_000_000

    /// Reads the counts from any reply body; even an unusable reply was
    /// charged.
    package init(in body: Data) {
        self.init(in: (try? JSONParser.parse(body)) ?? .null)
    }

    /// Reads the counts from a reply; anything but a whole number in 0…``maximumCount`` is nil.
    init(in reply: JSONValue) {
        let usage = reply["usage"]
        func count(_ key: String) -> Int? {
            if case .integer(let count)? = usage?[key], (0...Self.maximumCount).contains(count) { count } else { nil }
        }
        self.init(promptTokens: count("prompt_tokens"), completionTokens: count("completion_tokens"))
    }
}
