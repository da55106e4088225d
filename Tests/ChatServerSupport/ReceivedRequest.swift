public import Foundation

/// A request as it reached the server.
public struct ReceivedRequest: Sendable {
    /// `POST` and the like.
    public let method: String
    /// The path, without a query.
    public let path: String
    /// The headers by their names in lower case.
    public let headers: [String: String]
    /// The bytes of the body.
    public let body: Data

    /// The body as JSON, empty if it is none.
    public var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: body)) as? [String: Any] ?? [:]
    }

    /// The last message's text: what the model is asked.
    public var prompt: String {
        (json["messages"] as? [[String: Any]])?.last?["content"] as? String ?? ""
    }
}
