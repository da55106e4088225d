import ActivationPipeline

/// Why something could not be done, in one line that says what is wrong, where, and what to do.
public struct RouteSAEError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure, for a caller to act on.
    public enum Code: Sendable {
        /// A setting has a value that makes no sense.
        case usage
        /// A file, or an array handed over, holds what cannot be used.
        case badInput
        /// A file, a dictionary or a feature is not there.
        case missing
        /// A file would be overwritten, or cannot be written.
        case cannotWrite
        /// Another process holds the file, or the work was stopped; it can be tried again.
        case interrupted
        /// Not done, for safety.
        case refused
        /// An error of the library itself.
        case `internal`
    }

    /// The kind of failure.
    public let code: Code
    /// One line for people. Settings stand in backticks.
    public let description: String

    init(_ code: Code, _ description: String) {
        (self.code, self.description) = (code, description)
    }

    /// Runs what the other modules do, and throws their errors as this type.
    static func wrapping<Result>(_ body: () throws -> Result) throws(RouteSAEError) -> Result {
        do { return try body() } catch let error as RouteSAEError { throw error } catch {
            throw RouteSAEError(Code(FailureKind(error)), "\(error)")
        }
    }
}

extension RouteSAEError.Code {
    fileprivate init(_ kind: FailureKind?) {
        self =
            switch kind {
            case .usage: .usage
            case .badInput: .badInput
            case .missing: .missing
            case .cannotWrite: .cannotWrite
            case .interrupted: .interrupted
            case .refused: .refused
            case .internal, nil: .internal
            }
    }
}
