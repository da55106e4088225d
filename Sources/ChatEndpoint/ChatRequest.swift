/// One question to a chat model, in the terms of the chat-completions protocol.
package struct ChatRequest: Sendable, Codable, Equatable {
    /// One turn of a conversation.
    package struct Message: Sendable, Codable, Equatable {
        /// The role: `system`, `user` or `assistant`.
        package var role: String
        /// The text.
        package var content: String

        /// Makes a turn.
        package init(role: String, content: String) {
            self.role = role
            self.content = content
        }
    }

    /// The model's name at the endpoint.
    package var model: String
    /// The conversation so far, at least one turn.
    package var messages: [Message]
    /// Sampling temperature in 0…2; nil leaves it to the endpoint.
    package var temperature: Double?
    /// The most tokens of a reply; nil leaves it to the endpoint.
    package var maximumTokens: Int?
    /// Whether the limit is sent as `max_completion_tokens`, as some models require, rather than `max_tokens`.
    package var limitsCompletion: Bool
    /// A seed for endpoints that honour one.
    package var seed: Int?
    /// How many alternatives to give for every token, 0…20, beside its own log-probability; nil asks for none of it.
    package var topLogProbabilities: Int?
    /// Whether the reply must be a JSON object. The protocol wants the word JSON in some message then.
    package var wantsJSON: Bool

    /// A question; only the model and the conversation are required.
    package init(
        model: String, messages: [Message], temperature: Double? = nil, maximumTokens: Int? = nil, seed: Int? = nil,
        topLogProbabilities: Int? = nil, wantsJSON: Bool = false, limitsCompletion: Bool = false
    ) {
        self.model = model
        self.messages = messages
        self.temperature = temperature
        self.maximumTokens = maximumTokens
        self.seed = seed
        self.topLogProbabilities = topLogProbabilities
        self.wantsJSON = wantsJSON
        self.limitsCompletion = limitsCompletion
    }
}
