import ActivationPipeline
import ChatTemplate

/// How prompts are rendered with the model's chat template.
package struct ChatSettings: Sendable, Codable, Equatable {
    /// The default date for templates, so that a run is the same on any day: the one that
    /// Llama 3's template falls back on.
    package static let standardDate = "2024-07-26"

    /// A message of the role `system` before the prompt; nil for none.
    package var system: String?
    /// The date for templates that ask for it, `YYYY-MM-DD`.
    package var date: String

    /// Makes settings.
    package init(system: String? = nil, date: String = ChatSettings.standardDate) {
        self.system = system
        self.date = date
    }

    /// The parsed date.
    ///
    /// - Throws: `WorkflowError.usage`.
    func day() throws(WorkflowError) -> CalendarDate {
        guard let day = CalendarDate(date) else {
            throw .usage("`date` is \"\(date)\"; it takes a day as YYYY-MM-DD")
        }
        return day
    }
}
