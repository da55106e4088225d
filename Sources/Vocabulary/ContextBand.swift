/// Which of a feature's contexts a context is one of.
package enum ContextBand: String, CaseIterable, Codable, Hashable, Sendable {
    /// One of the feature's strongest firings.
    case top
    /// One of a uniform sample of the feature's firings.
    case sample
    /// A place where the feature is known not to fire.
    case quiet
}
