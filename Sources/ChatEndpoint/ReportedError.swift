import JSON

/// An error that an endpoint sends under HTTP 200, as routers in front of several providers do: `{"error": {"code": 429,
/// "message": "…"}}` in place of choices, or an `error` within the only choice.
struct ReportedError: Equatable {
    /// The HTTP status that its code stands for; nil where there is none that says.
    let status: Int?
    /// The error message, as sent by the endpoint.
    let message: String

    /// The error in a reply; nil where there is none.
    init?(in root: JSONValue) {
        if let choice = Self.onlyChoice(of: root) {
            guard let error = Self.present(choice["error"]) else { return nil }
            self.init(error)
        } else if Self.hasChoices(root) {
            return nil
        } else if let error = Self.present(root["error"]) {
            self.init(error)
        } else if root["object"] == .string("error") {
            self.init(root)
        } else {
            return nil
        }
    }

    /// The corresponding failure; nil if its kind is unknown.
    ///
    /// - Parameter message: what it says, ready to be shown.
    func failure(_ message: String, retryAfter: Double? = nil) -> ChatFailure? {
        status.map { $0 == 429 ? .rateLimited(retryAfter: retryAfter) : .reported(status: $0, message: message) }
    }

    private init(_ error: JSONValue) {
        if case .string(let text) = error {
            (status, message) = (nil, text)
            return
        }
        status = ["code", "status", "type"].lazy.compactMap { error[$0].flatMap(Self.status) }.first
        if case .string(let text)? = error["message"] {
            message = text
        } else {
            message = String(decoding: error.canonicalBytes, as: UTF8.self)
        }
    }

    private static func present(_ value: JSONValue?) -> JSONValue? {
        switch value {
        case .object(let object) where !object.members.isEmpty: value
        case .string(let text) where !text.isEmpty: value
        default: nil
        }
    }

    private static func hasChoices(_ root: JSONValue) -> Bool {
        if case .array(let choices)? = root["choices"] { !choices.isEmpty } else { false }
    }

    private static func onlyChoice(of root: JSONValue) -> JSONValue? {
        if case .array(let choices)? = root["choices"], choices.count == 1 { choices[0] } else { nil }
    }

    /// The status of a code: a number from 400 to 599, also as text, or one of the names that OpenAI, Anthropic, Google
    /// and vLLM give their errors.
    private static func status(_ code: JSONValue) -> Int? {
        switch code {
        case .integer(let number): return (400...599).contains(number) ? number : nil
        case .string(let name):
            if let number = Int(name) { return (400...599).contains(number) ? number : nil }
            var key = name.lowercased().filter { !"_- ".contains($0) }
            if key.hasSuffix("error") { key.removeLast("error".count) }
            return statuses[key]
        default: return nil
        }
    }

    private static let statuses = [
        "badrequest": 400, "invalidrequest": 400, "contextlengthexceeded": 400, "invalidargument": 400,
        "authentication": 401, "invalidapikey": 401, "unauthenticated": 401, "unauthorized": 401,
        "insufficientquota": 402, "paymentrequired": 402, "forbidden": 403, "permission": 403, "permissiondenied": 403,
        "notfound": 404, "modelnotfound": 404, "ratelimit": 429, "ratelimitexceeded": 429, "toomanyrequests": 429,
        "resourceexhausted": 429, "api": 500, "internal": 500, "internalserver": 500, "server": 500, "badgateway": 502,
        "overloaded": 503, "serviceunavailable": 503, "unavailable": 503, "deadlineexceeded": 504, "timeout": 504,
        "gatewaytimeout": 504,
    ]
}
