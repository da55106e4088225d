/// A request to a language model's endpoint and its reply (table `exchange`), byte for byte.
package struct ExchangeRecord: Equatable, Sendable {
    /// Base URL of the endpoint; never a key.
    package let endpoint: String
    /// The model asked, as the endpoint calls it.
    package let llm: String
    /// The JSON that was sent.
    package let request: [UInt8]
    /// The JSON that came back.
    package let reply: [UInt8]
    /// Tokens of the request, as counted by the endpoint.
    package let promptTokenCount: Int?
    /// Tokens of the reply, as counted by the endpoint.
    package let completionTokenCount: Int?

    /// Describes an exchange.
    package init(
        endpoint: String, llm: String, request: [UInt8], reply: [UInt8], promptTokenCount: Int?,
        completionTokenCount: Int?
    ) {
        self.endpoint = endpoint
        self.llm = llm
        self.request = request
        self.reply = reply
        self.promptTokenCount = promptTokenCount
        self.completionTokenCount = completionTokenCount
    }

    /// Its identity: the SHA-256 of the endpoint, a line feed, and the request.
    package var sha256: String { Self.sha256(endpoint: endpoint, request: request) }

    /// The digest of a request before it is answered.
    package static func sha256(endpoint: String, request: [UInt8]) -> String {
        var digest = SHA256Digest()
        digest.update(Array(endpoint.utf8) + [UInt8(ascii: "\n")])
        digest.update(request)
        return digest.hexadecimal()
    }
}
