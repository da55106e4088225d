import ChatEndpoint
import Foundation
import Testing

struct ChatRequestTests {
    @Test("The request body equals the recorded one") func theBodyIsGolden() throws {
        let request = ChatRequest(
            model: "org/model-1",
            messages: [
                ChatRequest.Message(role: "system", content: "Answer in JSON."),
                ChatRequest.Message(role: "user", content: "a/b \"c\" \\ \n\r\t\u{1} é 🜁 \u{7F}"),
            ], temperature: 0.7, maximumTokens: 64, seed: -3, topLogProbabilities: 20, wantsJSON: true)
        let expected =
            #"{"logprobs":true,"max_tokens":64,"messages":[{"content":"Answer in JSON.","role":"system"},"#
            + #"{"content":"a/b \"c\" \\ \n\r\t\u0001 é 🜁 "# + "\u{7F}" + #"","role":"user"}],"model":"org/model-1","#
            + #""response_format":{"type":"json_object"},"seed":-3,"temperature":0.7,"top_logprobs":20}"#
        #expect(String(decoding: try request.body(), as: UTF8.self) == expected)
    }

    @Test("Only the settings given are sent") func onlyWhatIsGivenIsSent() throws {
        var request = ChatRequest(model: "m", messages: [ChatRequest.Message(role: "user", content: "")])
        #expect(
            String(decoding: try request.body(), as: UTF8.self)
                == #"{"messages":[{"content":"","role":"user"}],"model":"m"}"#)
        request.temperature = 1
        #expect(String(decoding: try request.body(), as: UTF8.self).hasSuffix(#""model":"m","temperature":1}"#))
        request.temperature = -0.0
        #expect(String(decoding: try request.body(), as: UTF8.self).hasSuffix(#""model":"m","temperature":0}"#))
    }

    @Test func bodiesReadBackAndSurviveCoding() throws {
        let request = question("line\u{2028}end, null \u{0}, \u{1F}")
        let read = try #require(try JSONSerialization.jsonObject(with: request.body()) as? [String: Any])
        #expect((read["messages"] as? [[String: String]])?.first?["content"] == "line\u{2028}end, null \u{0}, \u{1F}")
        let coded = try JSONDecoder().decode(ChatRequest.self, from: JSONEncoder().encode(request))
        #expect(coded == request)
        #expect(try coded.body() == request.body())
    }

    @Test(
        "Invalid settings are refused",
        arguments: [
            ChatRequest(model: "", messages: [ChatRequest.Message(role: "user", content: "x")]),
            ChatRequest(model: "m", messages: []),
            ChatRequest(model: "m", messages: [ChatRequest.Message(role: "user", content: "x")], temperature: .nan),
            ChatRequest(model: "m", messages: [ChatRequest.Message(role: "user", content: "x")], temperature: 2.5),
            ChatRequest(model: "m", messages: [ChatRequest.Message(role: "user", content: "x")], maximumTokens: 0),
            ChatRequest(
                model: "m", messages: [ChatRequest.Message(role: "user", content: "x")], topLogProbabilities: 21),
        ])
    func nonsenseIsRefused(_ request: ChatRequest) {
        #expect { _ = try request.body() } throws: { error in
            guard case .invalidRequest? = error as? ChatFailure else { return false }
            return true
        }
    }
}
