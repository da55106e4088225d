/// Why a chat template cannot be read, or why rendering stopped.
package enum ChatTemplateError: Error, Sendable, Equatable {
    /// The template is not valid Jinja: a tag that is not closed, an operator without its operand.
    case malformed(line: Int, problem: String)
    /// It uses a feature of Jinja that is not supported here.
    case unsupported(line: Int, construct: String)
    /// It did something that fails in Jinja as well, such as adding a number to a text.
    case failed(line: Int, problem: String)
    /// It called `raise_exception` to refuse its arguments.
    case raised(line: Int, message: String)
    /// It exceeds one of `TemplateLimits`.
    case excessive(line: Int, what: String)
}

extension ChatTemplateError: CustomStringConvertible {
    /// One line, without the template's name.
    package var description: String {
        switch self {
        case .malformed(let line, let problem): "line \(line): not a template: \(problem)"
        case .unsupported(let line, let construct): "line \(line): \(construct) is not supported"
        case .failed(let line, let problem): "line \(line): \(problem)"
        case .raised(let line, let message):
            "line \(line): the template refuses: "
                + message.split(whereSeparator: \.isNewline).joined(separator: " ")
        case .excessive(let line, let what): "line \(line): \(what), more than a template may"
        }
    }
}
