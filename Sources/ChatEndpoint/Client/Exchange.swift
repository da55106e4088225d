package import Foundation

/// An answered request with the bytes of both directions, for the archive.
package struct Exchange: Sendable, Equatable {
    /// The bytes that were posted. Their digest is the identity of the exchange.
    package let requestBody: Data
    /// The bytes that came back, with `(key)` in place of the client's key.
    package let replyBody: Data
    /// The parsed reply, or why it is malformed (`.malformedReply`): even then it was answered and charged.
    package let reply: Result<ChatReply, ChatFailure>
    /// Tokens as the endpoint counts them.
    package let usage: ChatUsage
    /// How many times the request was sent; 1 if the first was answered.
    package let attempts: Int
}
