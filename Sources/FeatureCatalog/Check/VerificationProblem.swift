/// Something that verification found wrong.
package struct VerificationProblem: Equatable, Sendable, CustomStringConvertible {
    /// Where: a table, with the row if there is one.
    package let place: String

    /// What, in one line.
    package let reason: String

    /// Describes a problem.
    package init(place: String, reason: String) {
        self.place = place
        self.reason = reason
    }

    /// Where and what.
    package var description: String { "\(place): \(reason)" }
}
