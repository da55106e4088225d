/// What a context may be used for: writing the explanation, or scoring it. Never both.
package enum ContextSplit: String, CaseIterable, Codable, Hashable, Sendable {
    /// The explainer sees it.
    case explain
    /// Only the score sees it.
    case score

    /// The split that this one is not.
    package var opposite: ContextSplit { self == .explain ? .score : .explain }
}
