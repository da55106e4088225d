package import Foundation
import JSON

extension ChatRequest {
    /// The bytes that are posted: canonical JSON, the same for equal requests on every machine and in every version, so
    /// that their digest names the exchange.
    ///
    /// - Throws: `ChatFailure.invalidRequest` where a setting is outside the protocol.
    package func body() throws(ChatFailure) -> Data {
        if let problem { throw .invalidRequest(reason: problem) }
        var members: JSONObject = [
            "model": .string(model),
            "messages": .array(
                messages.map { .object(["role": .string($0.role), "content": .string($0.content)]) }),
        ]
        if let temperature { members["temperature"] = .number(temperature) }
        if let maximumTokens {
            members[limitsCompletion ? "max_completion_tokens" : "max_tokens"] = .integer(maximumTokens)
        }
        if let seed { members["seed"] = .integer(seed) }
        if let topLogProbabilities {
            members["logprobs"] = .boolean(true)
            members["top_logprobs"] = .integer(topLogProbabilities)
        }
        if wantsJSON { members["response_format"] = .object(["type": .string("json_object")]) }
        return JSONValue.object(members).canonicalBytes
    }

    private var problem: String? {
        if model.isEmpty { return "it names no model" }
        if messages.isEmpty { return "it has no messages" }
        if let temperature, !(0...2).contains(temperature) { return "temperature is \(temperature), expected 0…2" }
        if let maximumTokens, maximumTokens < 1 { return "maximumTokens is \(maximumTokens), expected 1 or more" }
        if let topLogProbabilities, !(0...20).contains(topLogProbabilities) {
            return "topLogProbabilities is \(topLogProbabilities), expected 0…20"
        }
        return nil
    }
}
