/// A model's chat template: the Jinja program that turns messages into the text the model was trained on.
///
/// It renders what transformers renders (`apply_chat_template`, utils/chat_template_utils.py), which sets Jinja up
/// with `trim_blocks`, `lstrip_blocks`, the loop controls and an immutable sandbox. Supported is what real templates
/// use of the language (https://jinja.palletsprojects.com/en/stable/templates/); anything else is refused by name and
/// line, when it is reached. Whatever the template does, rendering ends within
/// `TemplateLimits` and reads only its arguments: the date, too, is an argument.
package struct ChatTemplate: Sendable {
    /// A message of a conversation.
    package struct Message: Sendable, Equatable {
        /// `system`, `user` or `assistant`.
        package let role: String
        /// The text.
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

    /// The text of a conversation, ready for the model to continue with the assistant's turn.
    ///
    /// - Parameters:
    ///   - tokens: special tokens by the names the template uses, such as `bos_token`.
    ///   - date: today's date for `strftime_now`.
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

    /// The template rendered with variables.
    package func render(_ variables: [String: Value], date: CalendarDate) throws -> String {
        let interpreter = Interpreter(date: date)
        defer { interpreter.releaseAll() }
        return try interpreter.render(statements, variables: variables).string
    }
}
