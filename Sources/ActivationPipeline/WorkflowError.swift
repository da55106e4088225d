/// Why a job failed: each case names the problem, the file or option, and a remedy.
package enum WorkflowError: Error, Sendable, Equatable, CustomStringConvertible {
    /// An option has an invalid value.
    case usage(String)
    /// A file or folder is not there.
    case missing(path: String, what: String)
    /// A file has unusable content.
    case badInput(path: String, problem: String)
    /// A file would be overwritten, or cannot be written.
    case cannotWrite(path: String, problem: String)
    /// The job was refused because a precondition does not hold.
    case refused(String)
    /// The job was stopped by a signal; what was finished has been kept.
    case interrupted(String)

    /// One line.
    package var description: String {
        switch self {
        case .usage(let problem): problem
        case .missing(let path, let what): "\(path): no such \(what)"
        case .badInput(let path, let problem): "\(path): \(problem)"
        case .cannotWrite(let path, let problem): "\(path): \(problem)"
        case .refused(let problem): problem
        case .interrupted(let problem): problem
        }
    }
}
