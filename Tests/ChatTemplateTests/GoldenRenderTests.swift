import ChatTemplate
import Testing

@Suite struct GoldenRenderTests {
    /// Templates of every common shape, on every conversation.
    @Test func everyTemplateOnEveryConversation() throws {
        let document = try ChatGoldens.document("renders.json")
        let tokens = try #require(document["tokens"] as? [String: String])
        let tool = try Value(golden: try #require(document["tool"]))
        let conversations = try #require(document["conversations"] as? [String: Any])
        let cases = try #require(document["cases"] as? [[String: Any]])
        #expect(cases.count == 189)
        for golden in cases {
            let name = try #require(golden["template"] as? String)
            let conversation = try #require(golden["conversation"] as? String)
            var variables = tokens.mapValues { Value.text(Text($0)) }
            variables["messages"] = try Value(golden: try #require(conversations[conversation]))
            variables["documents"] = Value.none
            variables["tools"] = golden["tool"] as? Bool == true ? .list(Items([tool])) : Value.none
            variables["add_generation_prompt"] = .boolean(try #require(golden["prompting"] as? Bool))
            let source = try ChatGoldens.template(name)
            let complaint = try ChatGoldens.complaint(source, variables)
            let label: Comment = "\(name) on \(conversation)"
            if let expected = golden["expected"] as? String {
                let rendered = try? ChatGoldens.render(source, variables)
                #expect(rendered.map { Text($0) } == Text(expected), "\(label): \(complaint?.description ?? "")")
            } else {
                #expect(complaint != nil, label)
                if case .raised(_, let message)? = complaint {
                    #expect(message == golden["refusal"] as? String, label)
                }
            }
        }
    }

    /// Single expressions and tags, with the errors that jinja2 raises.
    @Test func everyExpression() throws {
        let document = try ChatGoldens.document("expressions.json")
        let variables = try #require(document["variables"] as? [String: Any]).mapValues { try Value(golden: $0) }
        let cases = try #require(document["cases"] as? [[String: Any]])
        #expect(cases.count == 525)
        for golden in cases {
            let source = try #require(golden["source"] as? String)
            let complaint = try ChatGoldens.complaint(source, variables)
            if let expected = golden["expected"] as? String {
                let rendered = try? ChatGoldens.render(source, variables)
                #expect(
                    rendered.map { Text($0) } == Text(expected),
                    "\(source): \(rendered ?? ""), expected \(expected); \(complaint?.description ?? "")")
            } else {
                #expect(complaint != nil, "\(source) renders")
                if case .unsupported? = complaint, !source.contains("nofilter"), !source.contains("notest") {
                    Issue.record("\(source): \(String(describing: complaint))")
                }
            }
        }
    }
}
