package import ActivationPipeline
import ChatTemplate
import Foundation
import Tokenization

/// Renders prompts with a model's chat template, as `apply_chat_template` of transformers does with
/// `add_generation_prompt`.
package struct ChatPrompts {
    private let settings: ChatSettings
    private let date: CalendarDate
    private let folder: ModelFolder
    private let template: ChatTemplate
    private let path: String

    /// Reads the model's template.
    ///
    /// - Throws: `WorkflowError`: `.usage` for a model without one, `.badInput` for one that cannot be read.
    package init(_ settings: ChatSettings, folder: ModelFolder) throws {
        self.settings = settings
        self.folder = folder
        date = try settings.day()
        path = ChatPrompts.templatePath(of: folder)
        guard let source = folder.tokenizer.chatTemplate else {
            throw WorkflowError.usage(
                "`chat`: \(folder.name) has no chat template, neither in \(Tokenizer.chatTemplateFileName) nor in "
                    + "tokenizer_config.json")
        }
        do { template = try ChatTemplate(source) } catch let error as ChatTemplateError {
            throw WorkflowError.badInput(path: path, problem: "the chat template, \(error)")
        }
    }

    /// The file of a folder's template.
    static func templatePath(of folder: ModelFolder) -> String {
        let own = folder.path + "/" + Tokenizer.chatTemplateFileName
        return FileManager.default.fileExists(atPath: own) ? own : folder.path + "/tokenizer_config.json"
    }

    /// A prompt as the user's message, after the system's if there is one, ready for the model's answer. Special tokens
    /// come from the template: nothing is put before its text.
    ///
    /// - Throws: `WorkflowError`: `.usage` for messages that the template refuses, `.badInput` for a template that fails.
    package func prompt(_ text: String) throws -> ModelPrompt {
        var messages = [ChatTemplate.Message(role: "user", content: text)]
        if let system = settings.system {
            messages.insert(ChatTemplate.Message(role: "system", content: system), at: 0)
        }
        do {
            let rendered = try template.prompt(
                for: messages, tokens: folder.tokenizer.specialTokenNames, date: date)
            let tokens = folder.tokenizer.encode(rendered, addSpecialTokens: false)
            let begins = folder.tokenizer.bosTokenID.map { tokens.first == $0 } ?? false
            return ModelPrompt(rendered: rendered, tokens: tokens, prefix: begins ? 1 : 0)
        } catch ChatTemplateError.raised(_, let message) {
            let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
            throw WorkflowError.usage("`chat`: the chat template of \(folder.name) refuses the messages: \(line)")
        } catch let error as ChatTemplateError {
            throw WorkflowError.badInput(path: path, problem: "the chat template, \(error)")
        }
    }
}
