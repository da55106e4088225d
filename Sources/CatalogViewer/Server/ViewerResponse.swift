import JSON

/// The answer to a request.
struct ViewerResponse: Sendable {
    /// The status.
    let status: Int
    /// The type of the body.
    let type: String
    /// The body.
    let body: [UInt8]
    /// Whether the body never changes under its address.
    var isFixed = false
    /// Where to go on.
    var location: Address?
    /// The methods that the address takes, where another was used.
    var allowed: [String] = []

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
    static func text(_ problem: ViewerProblem) -> ViewerResponse {
        ViewerResponse(
            status: problem.status, type: "text/plain; charset=utf-8", body: Array((problem.message + "\n").utf8),
            allowed: problem.allowed)
    }

    /// Another page, after a form was taken: loading that one again posts nothing.
    static func go(to address: Address) -> ViewerResponse {
        ViewerResponse(status: 303, type: "text/plain; charset=utf-8", body: [], location: address)
    }
}
