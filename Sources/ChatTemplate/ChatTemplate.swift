/// A model's chat template: the Jinja program that turns messages into the text the model was trained on.
///
/// What it renders is what transformers renders (`apply_chat_template`, utils/chat_template_utils.py), which sets Jinja up
/// with `trim_blocks`, `lstrip_blocks`, the loop controls and an immutable sandbox. What real templates use of the
/// language is here (https://jinja.palletsprojects.com/en/stable/templates/); anything else is refused by name and line,
/// and only when it is reached where Jinja would run it. Whatever the template does, rendering ends within
/// `TemplateLimits` and reads nothing but what it is given: the date, too, is an argument.
package struct ChatTemplate: Sendable {
    /// Something said.
    package struct Message: Sendable, Equatable {
        /// `system`, `user` or `assistant`.
        package let role: String
        /// What was said.
        package let content: String

        /// Makes a message.
        package init(role: String, content: String) {
            self.role = role
            self.content = content
        }
    }

    private let statements: [Statement]

    /// Reads a template.
    ///
    /// - Throws: `ChatTemplateError`: `.malformed`, `.unsupported`, `.excessive`.
    package init(_ source: String) throws {
        statements = try TemplateParser.statements(of: source)
    }

    /// The text of a conversation, ready for the model to go on with what `assistant` says.
    ///
    /// - Parameters:
    ///   - tokens: names of special tokens by what the template calls them, such as `bos_token`.
    ///   - date: what `strftime_now` takes for today.
    /// - Throws: `ChatTemplateError`.
    package func prompt(for messages: [Message], tokens: [String: String], date: CalendarDate) throws -> String {
        var variables: [String: Value] = [
            "messages": .list(
                Items(
                    messages.map { message in
                        var map = OrderedMap()
                        map.set("role", to: .text(Text(message.role)))
                        map.set("content", to: .text(Text(message.content)))
                        return .dictionary(map)
                    })),
            "tools": .none, "documents": .none, "add_generation_prompt": .boolean(true),
        ]
        for (name, token) in tokens { variables[name] = .text(Text(token)) }
        return try render(variables, date: date)
    }

    /// The text that the template makes of variables.
    package func render(_ variables: [String: Value], date: CalendarDate) throws -> String {
        let interpreter = Interpreter(date: date)
        defer { interpreter.releaseAll() }
        return try interpreter.render(statements, variables: variables).string
    }
}
