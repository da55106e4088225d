/// The reply of a chat model.
package struct ChatReply: Sendable, Equatable {
    /// A token and the logarithm of its probability.
    package struct Candidate: Sendable, Equatable {
        /// The token's text; an endpoint may replace bytes that are no whole characters.
        package let token: String
        /// The natural logarithm of its probability; finite.
        package let logProbability: Double

        /// A token that was or might have been said.
        package init(token: String, logProbability: Double) {
            self.token = token
            self.logProbability = logProbability
        }
    }

    /// A token of the reply, with what might have stood in its place.
    package struct Token: Sendable, Equatable {
        /// The token's text.
        package let token: String
        /// The natural logarithm of its probability; finite.
        package let logProbability: Double
        /// The most likely tokens at this position, as many as were asked for, in the endpoint's order.
        package let top: [Candidate]

        /// A token that was said.
        package init(token: String, logProbability: Double, top: [Candidate]) {
            self.token = token
            self.logProbability = logProbability
            self.top = top
        }
    }

    /// The text.
    package let content: String
    /// Why it ends: `stop`, or `length` if the token limit cut it off; nil if the endpoint does not say. Not
    /// interpreted here.
    package let finishReason: String?
    /// The reply's tokens, nil where the endpoint gives none.
    package let tokens: [Token]?
    /// Token counts by the endpoint.
    package let usage: ChatUsage
}
