import ChatEndpoint
import ChatServerSupport
import Foundation
import Testing

struct ChatReplyTests {
    private static let good = String(
        decoding: ChatBehaviour.replyBody(
            "Yes: a/b \"c\" é 🜁",
            logProbabilities: [
                ChatBehaviour.Token("Yes", -0.25, top: [("Yes", -0.25), ("No", -1.5)]), ChatBehaviour.Token(":", -2),
            ]), as: UTF8.self)

    @Test func aGoodReplyIsRead() throws {
        let reply = try ChatReply(parsing: Data(Self.good.utf8))
        #expect(reply.content == "Yes: a/b \"c\" é 🜁")
        #expect(reply.finishReason == "stop")
        #expect(reply.usage == ChatUsage(promptTokens: 12, completionTokens: 3))
        let tokens = try #require(reply.tokens)
        #expect(tokens.map(\.token) == ["Yes", ":"])
        #expect(tokens[0].top.map(\.token) == ["Yes", "No"])
        #expect(tokens[0].top.map(\.logProbability) == [-0.25, -1.5])
        #expect(tokens[1].logProbability == -2)
    }

    @Test func escapesAndOptionalPartsAreRead() throws {
        let text = #"""
             { "choices" : [ {"message":{"content":"\u0041\ud83d\ude42\/\n"},"finish_reason":"length",
               "logprobs":{"content":[{"token":"A","logprob":-1e-3}]}} ],
               "usage":{"prompt_tokens":0,"completion_tokens":7,"cost":1.5e300}, "other":[{}, [], true, false, null] }
            """#
        let reply = try ChatReply(parsing: Data(text.utf8))
        #expect(reply.content == "A🙂/\n")
        #expect(reply.finishReason == "length")
        #expect(reply.tokens?.first?.top.isEmpty == true)
        for absent in [#""logprobs":null,"#, #""logprobs":{"content":null},"#, ""] {
            #expect(try ChatReply(parsing: Data(Self.reply(extra: absent).utf8)).tokens == nil)
        }
    }

    @Test("Fields that local servers omit are optional") func whatLocalServersLeaveOutIsNotMissed() throws {
        let bare = Data(#"{"choices":[{"message":{"content":"x"}}]}"#.utf8)
        let reply = try ChatReply(parsing: bare)
        #expect(reply.content == "x" && reply.finishReason == nil)
        #expect(reply.usage == ChatUsage(promptTokens: nil, completionTokens: nil))
        #expect(try ChatReply(parsing: Data(Self.reply(finish: "null").utf8)).finishReason == nil)
        // What is no reply was charged for all the same.
        let error = Data(#"{"error":"overloaded","usage":{"prompt_tokens":7,"completion_tokens":-1}}"#.utf8)
        #expect(ChatUsage(in: error) == ChatUsage(promptTokens: 7, completionTokens: nil))
        #expect(ChatUsage(in: Data("<p>".utf8)) == ChatUsage(promptTokens: nil, completionTokens: nil))
    }

    /// Usage is informational: an invalid count does not invalidate the answer.
    @Test(
        "An invalid token count is unknown",
        arguments: [
            #""1""#, "-1", "99999999999999999999", "9223372036854775807", "1000000001", "1.5", "1e300", "[]", "{}",
            "true",
            "null",
        ])
    func aCountThatIsNoneIsUnknown(_ count: String) throws {
        let reply = try ChatReply(parsing: Data(Self.reply(prompt: count).utf8))
        #expect(reply.content == "x" && reply.usage == ChatUsage(promptTokens: nil, completionTokens: 1))
        #expect(ChatUsage(in: Data(Self.reply(prompt: count).utf8)) == reply.usage)
        let none = try ChatReply(parsing: Data(#"{"choices":[{"message":{"content":"x"}}],"usage":\#(count)}"#.utf8))
        #expect(none.content == "x" && none.usage == ChatUsage(promptTokens: nil, completionTokens: nil))
    }

    private static func reply(
        content: String = #""x""#, finish: String = #""stop""#, extra: String = "", prompt: String = "1"
    ) -> String {
        #"{"choices":[{\#(extra)"message":{"content":\#(content)},"finish_reason":\#(finish)}],"#
            + #""usage":{"prompt_tokens":\#(prompt),"completion_tokens":1}}"#
    }

    private static func logProbability(_ value: String) -> String {
        reply(extra: #""logprobs":{"content":[{"token":"a","logprob":\#(value)}]},"#)
    }

    static let malformed: [(name: String, body: String, reason: String)] = [
        ("empty", "", "the body is empty"),
        ("space", " \n", "ends too early"),
        ("page", "<html>", "not JSON"),
        ("words", "nul", "not JSON"),
        ("string", #""x""#, "a string, not an object"),
        ("array", "[]", "an array, not an object"),
        ("null", "null", "null, not an object"),
        ("nothing", "{}", "choices is missing"),
        ("an error", #"{"error":{"message":"overloaded"}}"#, "overloaded"),
        ("trailing", reply() + "x", "text after the end"),
        ("two values", reply() + reply(), "text after the end"),
        ("cut", String(reply().dropLast(5)), "not JSON"),
        ("choices an object", #"{"choices":{},"usage":{}}"#, "choices is an object"),
        ("no choices", #"{"choices":[],"usage":{}}"#, "0 choices"),
        ("two choices", #"{"choices":[{},{}],"usage":{}}"#, "2 choices"),
        ("choice null", #"{"choices":[null],"usage":{}}"#, "message is asked of null"),
        ("no message", #"{"choices":[{}],"usage":{}}"#, "message is missing"),
        ("no content", #"{"choices":[{"message":{}}]}"#, "content is missing"),
        ("no content, stop", #"{"choices":[{"message":{},"finish_reason":"stop"}]}"#, "content is missing"),
        ("content a number", reply(content: "12"), "content is 12"),
        ("content in parts", reply(content: #"[{"type":"text","text":"x"}]"#), "content is an array"),
        ("finish a number", reply(finish: "3"), "finish_reason is 3"),
        ("repeated key", #"{"choices":1,"choices":2}"#, "a key is repeated"),
        ("number out of range", logProbability("-1e999"), "out of range"),
        ("NaN", logProbability("NaN"), "not JSON"),
        ("Infinity", logProbability("-Infinity"), "malformed number"),
        ("leading zero", logProbability("-01"), "malformed number"),
        ("no digits", logProbability("1."), "malformed number"),
        ("logprob null", logProbability("null"), "logprob is null"),
        ("logprobs a list", reply(extra: #""logprobs":[],"#), "content is asked of an array"),
        ("no token", reply(extra: #""logprobs":{"content":[{"logprob":-1}]},"#), "token is missing"),
        (
            "bad top", reply(extra: #""logprobs":{"content":[{"token":"a","logprob":-1,"top_logprobs":{}}]},"#),
            "top_logprobs is an object"
        ),
        ("half a pair", reply(content: #""\ud83d""#), "surrogate"),
        ("low surrogate", reply(content: #""\ude42""#), "surrogate"),
        ("escape", reply(content: #""\x""#), "unknown escape"),
        ("bad digits", reply(content: #""\u00g0""#), "unknown escape"),
        ("control character", reply(content: "\"a\nb\""), "control character"),
        ("deep", String(repeating: "[", count: 1_000_000), "nested too deeply"),
        ("deep objects", String(repeating: #"{"a":"#, count: 100_000), "nested too deeply"),
    ]

    @Test(arguments: malformed.indices)
    func malformedRepliesSayWhy(_ index: Int) throws {
        let (name, body, expected) = Self.malformed[index]
        let reason = try #require(Self.reason(Data(body.utf8)), "\(name) was read")
        #expect(reason.contains(expected), "\(name)")
        #expect(reason.count <= 200 && reason.split(separator: "\n").count == 1, "\(name)")
    }

    /// Filters, refusals, tools and thoughts leave no text, and say so in the finish reason.
    @Test("A reply without text gives its finish reason", arguments: ["null", "\"\""])
    func aReplyWithoutTextSaysWhy(_ content: String) {
        for finish in ["content_filter", "length", "tool_calls", "stop"] {
            let found = Self.failure(Self.reply(content: content, finish: "\"\(finish)\""))
            #expect(found == .noAnswer(finishReason: finish, refusal: nil))
            #expect(found?.description.contains("finish_reason \(finish)") == true && found?.isRetryable == false)
        }
        #expect(
            Self.failure(#"{"choices":[{"message":{"content":\#(content)}}]}"#)
                == .noAnswer(finishReason: nil, refusal: nil))
        // No content at all is the same where something says why.
        #expect(
            Self.failure(#"{"choices":[{"message":{"tool_calls":[{}]},"finish_reason":"tool_calls"}]}"#)
                == .noAnswer(finishReason: "tool_calls", refusal: nil))
        let refusal = Self.failure(
            #"{"choices":[{"message":{"content":\#(content),"refusal":"I\ncannot"},"finish_reason":"stop"}]}"#)
        #expect(refusal == .noAnswer(finishReason: "stop", refusal: "I cannot"))
        #expect(refusal?.description.contains("the model refuses: I cannot") == true)
        // However long the reason.
        let long = Self.failure(Self.reply(content: content, finish: "\"\(String(repeating: "x", count: 100_000))\""))
        #expect((long?.description.utf8.count ?? .max) < 200)
    }

    /// The reason why a body is not a reply.
    private static func failure(_ body: String) -> ChatFailure? {
        do throws(ChatFailure) {
            _ = try ChatReply(parsing: Data(body.utf8))
            return nil
        } catch { return error }
    }

    @Test("Bytes that are not UTF-8 are refused") func bytesThatAreNoTextAreRefused() throws {
        var body = Data(Self.reply(content: #""x?y""#).utf8)
        body[try #require(body.firstIndex(of: UInt8(ascii: "?")))] = 0xFF
        #expect(Self.reason(body)?.contains("invalid UTF-8") == true)
        #expect(Self.reason(Data([0xFF, 0xFE, 0x00]))?.contains("not JSON") == true)
    }

    @Test("Long bodies are shortened in messages") func longBodiesAreNotEchoed() throws {
        let page = "<p>" + String(repeating: "secret\n\u{1B}[31m", count: 10_000)
        let reason = try #require(Self.reason(Data(page.utf8)))
        #expect(reason.utf8.count < 300)
        #expect(!reason.contains("\u{1B}"))
    }

    @Test("Random mutations of a reply never trap") func mutationsNeverTrap() {
        var generator = MutationGenerator(state: 20)
        let good = Array(Self.good.utf8)
        var refused = 0
        for _ in 0..<2000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
                let place = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0..<5, using: &generator) {
                case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(good.randomElement(using: &generator) ?? 0, at: place)
                case 3: bytes.removeSubrange(place..<min(bytes.count, place + 40))
                default: bytes.insert(contentsOf: Array("{[\",:1e999\\u".utf8), at: place)
                }
            }
            if Self.reason(Data(bytes)) != nil { refused += 1 }
        }
        // Many a changed letter leaves a reply a reply.
        #expect(refused > 1000 && refused < 2000)
    }

    /// The reason why a body is refused; nil if it is read.
    private static func reason(_ body: Data) -> String? {
        do throws(ChatFailure) {
            _ = try ChatReply(parsing: body)
            return nil
        } catch {
            // A changed letter may leave a message without its content.
            if case .noAnswer = error { return error.description }
            guard case .malformedReply(let reason) = error else {
                Issue.record("\(error)")
                return nil
            }
            return reason
        }
    }
}

/// SplitMix64, so that every run meets the same mutations.
private struct MutationGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
