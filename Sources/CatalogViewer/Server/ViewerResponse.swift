import JSON

/// The answer to a request.
struct ViewerResponse: Sendable {
    /// The status.
    var status: Int
    /// The type of the body.
    let type: String
    /// The body.
    let body: [UInt8]
    /// Whether the body never changes under its address.
    var isFixed = false
    /// Where to go instead.
    var location: String?

    /// A page.
    static func page(_ html: HTML, status: Int = 200) -> ViewerResponse {
        ViewerResponse(status: status, type: "text/html; charset=utf-8", body: Array(html.text.utf8))
    }

    /// Data.
    static func json(_ value: JSONValue, status: Int = 200) -> ViewerResponse {
        ViewerResponse(
            status: status, type: "application/json; charset=utf-8", body: JSONWriter.canonical.bytes(value) + [10])
    }

    /// One line of text.
    static func text(_ line: String, status: Int) -> ViewerResponse {
        ViewerResponse(status: status, type: "text/plain; charset=utf-8", body: Array((line + "\n").utf8))
    }
}
