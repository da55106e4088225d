package import Foundation

/// A request that was answered, with the bytes that went either way, to be archived.
package struct Exchange: Sendable, Equatable {
    /// The bytes that were posted. Their digest is the identity of the exchange.
    package let requestBody: Data
    /// The bytes that came back, with `(key)` in place of the client's key.
    package let replyBody: Data
    /// What they say, or why they are no reply (`.malformedReply`): that was answered, and charged, all the same.
    package let reply: Result<ChatReply, ChatFailure>
    /// Tokens as the endpoint counts them.
    package let usage: ChatUsage
    /// How many times the request was sent; 1 if the first was answered.
    package let attempts: Int
}
