/// A problem found by verification.
package struct VerificationProblem: Equatable, Sendable, CustomStringConvertible {
    /// Where: a table, with the row if there is one.
    package let place: String

    /// The problem, in one line.
    package let reason: String

    /// Describes a problem.
    package init(place: String, reason: String) {
        self.place = place
        self.reason = reason
    }

    /// Where and what.
    package var description: String { "\(place): \(reason)" }
}
