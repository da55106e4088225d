import ActivationPipeline
import ChatTemplate

/// How prompts are put through the model's chat template.
package struct ChatSettings: Sendable, Codable, Equatable {
    /// The day that templates take for today unless told otherwise, so that a run is the same on any day: the one that
    /// Llama 3's template falls back on.
    package static let standardDate = "2024-07-26"

    /// What stands before the prompt as a message of the role `system`; nil for no such message.
    package var system: String?
    /// What a template that asks for the date is told, `YYYY-MM-DD`.
    package var date: String

    /// Makes settings.
    package init(system: String? = nil, date: String = ChatSettings.standardDate) {
        self.system = system
        self.date = date
    }

    /// The date, read.
    ///
    /// - Throws: `WorkflowError.usage`.
    func day() throws(WorkflowError) -> CalendarDate {
        guard let day = CalendarDate(date) else {
            throw .usage("`date` is \"\(date)\"; it takes a day as YYYY-MM-DD")
        }
        return day
    }
}
