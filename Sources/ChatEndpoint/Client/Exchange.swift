public import Foundation

/// A request that was answered, with the bytes that went either way, to be archived.
public struct Exchange: Sendable, Equatable {
    /// The bytes that were posted. Their digest is the identity of the exchange.
    public let requestBody: Data
    /// The bytes that came back.
    public let replyBody: Data
    /// What they say.
    public let reply: ChatReply
    /// How many times the request was sent; 1 if the first was answered.
    public let attempts: Int
}
