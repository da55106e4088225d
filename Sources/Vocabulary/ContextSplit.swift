/// The use of a context: for writing the explanation, or for scoring it. Never both.
package enum ContextSplit: String, CaseIterable, Codable, Hashable, Sendable {
    /// For the explainer.
    case explain
    /// For the score only.
    case score

    /// The other split.
    package var opposite: ContextSplit { self == .explain ? .score : .explain }
}
