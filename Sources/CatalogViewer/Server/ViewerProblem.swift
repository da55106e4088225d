import ActivationPipeline
import FeatureCatalog

/// Why a request has no answer.
struct ViewerProblem: Error {
    /// The status.
    let status: Int
    /// What is wrong and what to do, in one line.
    let message: String
    /// The methods that the address takes, where another was used.
    var allowed: [String] = []

    /// Describes a problem.
    init(_ status: Int, _ message: String, allowed: [String] = []) {
        self.status = status
        self.message = message
        self.allowed = allowed
    }

    /// The problem of any error. Folders of this machine are left out of its message.
    init(_ error: any Error) {
        switch error {
        case let problem as ViewerProblem: self = problem
        case let error as CatalogError:
            self.init(Self.status(error.code), PublicMessage.withoutFolders(error.message))
        case let error as WorkflowError:
            self.init(
                error.isUsage ? 400 : 409, PublicMessage.plain(PublicMessage.withoutFolders(error.description)))
        default:
            // An error of this package has a line for people; another's can hold anything.
            let isOwn = FailureKind(error) != nil
            self.init(500, isOwn ? PublicMessage.withoutFolders("\(error)") : "the server failed on this request")
        }
    }

    /// The heading of a page that says so.
    var title: String {
        switch status {
        case 400, 413, 414: "Not understood"
        case 404: "Not found"
        case 500: "Something is damaged"
        default: "Not possible"
        }
    }

    private static func status(_ code: CatalogError.Code) -> Int {
        switch code {
        case .notFound, .missing: 404
        case .timedOut, .busy: 503
        case .invalidSQL, .invalidValue, .refused: 400
        case .tooOld, .tooNew, .cannotWrite, .exists: 409
        case .damaged, .notACatalog, .failed: 500
        }
    }
}

extension WorkflowError {
    fileprivate var isUsage: Bool {
        if case .usage = self { true } else { false }
    }
}
