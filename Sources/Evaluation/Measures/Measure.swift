/// What an evaluation measures.
package enum Measure: String, Codable, CaseIterable, Sendable {
    /// Reconstruction, and the model's loss with reconstructions in the place of activations.
    case substitution
    /// How much of every layer is linear in the latents.
    case coverage
    /// How many features of single-layer dictionaries a dictionary has.
    case census
    /// How well a few latents tell labels that the text has.
    case probing
    /// Whether features mean the same at all layers at which they are read.
    case coherence
}

/// A label that the text itself has, for probing.
package enum TextLabel: String, Codable, CaseIterable, Sendable {
    /// Where a document comes from.
    case source
    /// The third of its document that a stretch of tokens is in.
    case part
    /// The token's class: its text, trimmed and lowercased.
    case tokenClass = "token-class"
}
