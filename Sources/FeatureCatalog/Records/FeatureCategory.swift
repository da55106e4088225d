/// What kind of pattern a feature is said to follow: the categories of the RouteSAE paper's rubric (arXiv 2503.08200).
package enum FeatureCategory: String, CaseIterable, Sendable, Codable {
    /// Words, tokens, syntax.
    case lowLevel = "low-level"
    /// Meaning.
    case highLevel = "high-level"
    /// None that can be told.
    case undiscernible
}
