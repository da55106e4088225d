/// The group that a context was chosen for.
package enum ContextBand: String, CaseIterable, Codable, Hashable, Sendable {
    /// One of the feature's strongest firings.
    case top
    /// One of a uniform sample of the feature's firings.
    case sample
    /// A non-activating position: the feature verifiably does not fire.
    case quiet
}
