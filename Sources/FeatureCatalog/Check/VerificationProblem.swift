/// Something that verification found wrong.
public struct VerificationProblem: Equatable, Sendable, CustomStringConvertible {
    /// Where: a table, with the row if there is one.
    public let place: String

    /// What, in one line.
    public let reason: String

    /// Describes a problem.
    public init(place: String, reason: String) {
        self.place = place
        self.reason = reason
    }

    /// Where and what.
    public var description: String { "\(place): \(reason)" }
}
