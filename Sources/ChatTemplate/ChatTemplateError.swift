/// Why a chat template cannot be read, or what stopped it.
package enum ChatTemplateError: Error, Sendable, Equatable {
    /// The template is no Jinja: a tag that is not closed, an operator without its operand.
    case malformed(line: Int, problem: String)
    /// It asks for something that Jinja has and this has not.
    case unsupported(line: Int, construct: String)
    /// It did what Jinja refuses as well, such as adding a number to a text.
    case failed(line: Int, problem: String)
    /// It called `raise_exception`: what it was given does not suit it.
    case raised(line: Int, message: String)
    /// It would take more than a template is allowed to.
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
