/// Why a regular expression cannot be used: what stands at which place of it, and whether it is wrong or only unsupported.
package struct PatternError: Error, Sendable, Equatable {
    /// What is at the place.
    package let problem: String
    /// The number of scalars before the place.
    package let offset: Int
    /// Whether no reader takes the expression. Otherwise it uses something that is not supported here.
    package let isMalformed: Bool

    /// What `TextPattern` takes, for the end of a message.
    package static let supported =
        "characters, classes, properties, groups, alternatives, quantifiers, anchors, (?i) of ASCII letters, "
        + "lookahead, lookbehind of a fixed length"
}

extension PatternError: CustomStringConvertible {
    /// One line.
    package var description: String { "\(problem) at character \(offset + 1) of the regular expression" }
}
