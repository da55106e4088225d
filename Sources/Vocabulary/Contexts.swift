/// The group that a context was chosen for.
package enum ContextBand: String, CaseIterable, Codable, Hashable, Sendable {
    /// One of the feature's strongest firings.
    case top
    /// One of a uniform sample of the feature's firings.
    case sample
    /// A non-activating position: the feature verifiably does not fire.
    case quiet
}

/// The use of a context: for writing the explanation, or for scoring it. Never both.
package enum ContextSplit: String, CaseIterable, Codable, Hashable, Sendable {
    /// For the explainer.
    case explain
    /// For the score only.
    case score

    /// The other split.
    package var opposite: ContextSplit { self == .explain ? .score : .explain }
}
