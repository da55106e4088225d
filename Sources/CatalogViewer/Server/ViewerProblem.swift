import ActivationPipeline
import FeatureCatalog
import LanguageModel
import SparseCoding

/// Why a request has no answer.
struct ViewerProblem: Error {
    /// The status.
    let status: Int
    /// What is wrong and what to do, in one line.
    let message: String

    /// Describes a problem.
    init(_ status: Int, _ message: String) {
        self.status = status
        self.message = message
    }

    /// The problem of any error.
    init(_ error: any Error) {
        switch error {
        case let problem as ViewerProblem: self = problem
        case let error as CatalogError:
            let status =
                switch error.code {
                case .notFound, .missing: 404
                case .timedOut: 503
                case .busy: 503
                case .invalidSQL, .refused: 400
                default: 500
                }
            self.init(status, error.message)
        case WorkflowError.usage(let problem): self.init(400, Self.plain(problem))
        case let error as WorkflowError: self.init(409, Self.plain(error.description))
        default: self.init(500, "\(error)")
        }
    }

    /// A message without the marks around the names of settings.
    private static func plain(_ message: String) -> String { message.replacing("`", with: "") }
}
