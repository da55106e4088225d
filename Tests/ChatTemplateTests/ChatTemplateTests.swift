import ChatTemplate
import Testing

@Suite struct ChatTemplateTests {
    @Test func aConversationBecomesAPrompt() throws {
        let template = try ChatTemplate(ChatGoldens.template("llama3-like.jinja"))
        let prompt = try template.prompt(
            for: [
                ChatTemplate.Message(role: "system", content: "Be brief."),
                ChatTemplate.Message(role: "user", content: " Hi "),
            ],
            tokens: ["bos_token": "<s>"], date: try #require(CalendarDate("2025-02-03")))
        #expect(
            prompt == """
                <s><|head|>system<|/head|>

                Knowledge ends: March 2024
                Today: 03 Feb 2025

                Be brief.<|stop|><|head|>user<|/head|>

                Hi<|stop|><|head|>assistant<|/head|>


                """)
    }

    /// A user's text is data, even if it looks like a template.
    @Test("Messages are not interpreted as templates") func messagesAreNotTemplates() throws {
        let template = try ChatTemplate("{{ messages[0].content }}")
        let content = "{{ 1 + 1 }}{% if x %}{# y #}\r\n\n"
        let message = ChatTemplate.Message(role: "user", content: content)
        let date = try #require(CalendarDate("2024-07-26"))
        #expect(Text(try template.prompt(for: [message], tokens: [:], date: date)) == Text(content))
    }

    @Test func datesAreThoseOfTheCalendar() {
        for day in ["2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31", "2024-07-26"] {
            #expect(CalendarDate(day) != nil, "\(day)")
        }
        for day in [
            "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "2024-04-31", "24-01-01", "2024-1-1",
            "", "2024-01-01 ", "-024-01-01", "2024/01/01", "٢٠٢٤-01-01", "0000-01-01",
        ] {
            #expect(CalendarDate(day) == nil, "\(day)")
        }
    }
}
