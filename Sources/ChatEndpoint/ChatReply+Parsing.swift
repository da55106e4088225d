package import Foundation
import JSON

extension ChatReply {
    /// Reads the body of a reply.
    ///
    /// - Throws: `ChatFailure.malformedReply` for a required part that is missing or of another type;
    ///   `.noAnswer` if it says why there is no text; `.reported` or `.rateLimited` for an error in place of a reply.
    ///   Token counts are optional.
    package init(parsing body: Data) throws(ChatFailure) {
        let root: JSONValue
        do { root = try JSONParser.parse(body) } catch {
            throw .malformedReply(
                reason: "not JSON (\(error.reason) at byte \(error.offset)): \(excerpt(of: body, limit: 120))")
        }
        try self.init(in: root)
    }

    /// Reads a reply that has been taken apart.
    init(in root: JSONValue) throws(ChatFailure) {
        guard case .object = root else { throw .malformedReply(reason: "the reply is \(root.kind), not an object") }
        if let error = ReportedError(in: root), let failure = error.failure(excerpt(error.message)) { throw failure }
        guard root["choices"] != nil else {
            let said = root["error"].map { ": " + excerpt(String(decoding: $0.canonicalBytes, as: UTF8.self)) } ?? ""
            throw .malformedReply(reason: "choices is missing" + said)
        }

        let choices = try root.member("choices").elements("choices")
        guard choices.count == 1 else { throw .malformedReply(reason: "\(choices.count) choices, expected 1") }
        let message = try choices[0].member("message")
        finishReason = try Self.optional(choices[0]["finish_reason"])?.text("finish_reason")
        content = try Self.content(of: message, finishReason: finishReason)
        tokens = try Self.tokens(choices[0]["logprobs"] ?? .null)
        // Local servers sometimes omit or garble the counts; the answer is still good.
        usage = ChatUsage(in: root)
    }

    /// The text of a message.
    ///
    /// - Throws: `.noAnswer` if there is none: content filters, refusals, tool calls and thoughts that use up the limit
    ///   leave it null or, with some servers, empty or missing.
    private static func content(of message: JSONValue, finishReason: String?) throws(ChatFailure) -> String {
        let content = optional(message["content"])
        guard content == nil || content == .string("") else { return try message.member("content").text("content") }
        let refusal: String? =
            if case .string(let text)? = message["refusal"], !text.isEmpty { excerpt(text, limit: 120) } else { nil }
        // Without content it would otherwise be no message at all.
        guard message["content"] != nil || refusal != nil || ![nil, "stop"].contains(finishReason) else {
            throw .malformedReply(reason: "content is missing")
        }
        throw .noAnswer(finishReason: finishReason.map { excerpt($0, limit: 40) }, refusal: refusal)
    }

    /// A value that is there.
    private static func optional(_ value: JSONValue?) -> JSONValue? { value == .null ? nil : value }

    private static func tokens(_ value: JSONValue) throws(ChatFailure) -> [Token]? {
        guard value != .null else { return nil }
        let content = try value.member("content")
        guard content != .null else { return nil }
        var tokens: [Token] = []
        for token in try content.elements("logprobs.content") {
            var top: [Candidate] = []
            // Some endpoints leave the key out where no alternatives were asked for.
            for other in try (token["top_logprobs"] ?? .array([])).elements("top_logprobs") {
                top.append(try other.candidate())
            }

            let said = try token.candidate()
            tokens.append(Token(token: said.token, logProbability: said.logProbability, top: top))
        }
        return tokens
    }
}

extension JSONValue {
    fileprivate func member(_ key: String) throws(ChatFailure) -> JSONValue {
        guard case .object(let members) = self else {
            throw .malformedReply(reason: "\(key) is asked of \(kind), not of an object")
        }
        guard let value = members[key] else { throw .malformedReply(reason: "\(key) is missing") }
        return value
    }

    fileprivate func elements(_ name: String) throws(ChatFailure) -> [JSONValue] {
        guard case .array(let elements) = self else { throw unexpected(name, "an array") }
        return elements
    }

    fileprivate func text(_ name: String) throws(ChatFailure) -> String {
        guard case .string(let text) = self else { throw unexpected(name, "a string") }
        return text
    }

    fileprivate func candidate() throws(ChatFailure) -> ChatReply.Candidate {
        let token = try member("token").text("token")
        let probability = try member("logprob")
        guard let value = probability.double else { throw probability.unexpected("logprob", "a number") }
        return ChatReply.Candidate(token: token, logProbability: value)
    }

    private func unexpected(_ name: String, _ expected: String) -> ChatFailure {
        // Said with its value, which tells more than its kind.
        if case .integer(let value) = self { return .malformedReply(reason: "\(name) is \(value), not \(expected)") }
        return .malformedReply(reason: "\(name) is \(kind), not \(expected)")
    }
}
