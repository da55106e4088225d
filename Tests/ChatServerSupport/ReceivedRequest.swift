package import Foundation

/// A request as it reached the server.
package struct ReceivedRequest: Sendable {
    /// `POST` and the like.
    package let method: String
    /// The path, without a query.
    package let path: String
    /// The headers by their names in lower case.
    package let headers: [String: String]
    /// The bytes of the body.
    package let body: Data

    /// The body as JSON, empty if it is none.
    package var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: body)) as? [String: Any] ?? [:]
    }

    /// The last message's text: what the model is asked.
    package var prompt: String {
        (json["messages"] as? [[String: Any]])?.last?["content"] as? String ?? ""
    }
}
