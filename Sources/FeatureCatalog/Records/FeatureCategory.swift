/// The kind of a feature's pattern: the categories of the RouteSAE paper's rubric (arXiv 2503.08200).
package enum FeatureCategory: String, CaseIterable, Sendable, Codable {
    /// Words, tokens, syntax.
    case lowLevel = "low-level"
    /// Meaning.
    case highLevel = "high-level"
    /// None discernible.
    case undiscernible
}
