package import Vocabulary

/// A context as shown to a language model: the text of its tokens, with the feature's activation at each.
package struct JudgedExcerpt: Hashable, Sendable {
    /// Texts of the tokens, in reading order.
    package let tokens: [String]
    /// The feature's activations, as many as tokens, 0 where it does not fire.
    package let activations: [Float]
    /// The token the context was chosen for.
    package let peakIndex: Int
    /// The band it was chosen for.
    package let band: ContextBand

    /// - Precondition: as many activations as tokens.
    package init(tokens: [String], activations: [Float], peakIndex: Int, band: ContextBand) {
        precondition(tokens.count == activations.count, "\(tokens.count) tokens, \(activations.count) activations")
        self.tokens = tokens
        self.activations = activations
        self.peakIndex = peakIndex
        self.band = band
    }

    /// The whole text.
    package var text: String { tokens.joined() }

    /// Whether the feature fires anywhere in it.
    package var fires: Bool { activations.contains { $0 > 0 } }

    /// Discretised activations for a judge, ⌊10 · max(a, 0) / maximum⌋, 0 … 10 (Bills et al. 2023,
    /// `openai/automated-interpretability`, `normalize_activations`); all 0 unless the maximum is above 0.
    package static func levels(_ activations: [Float], maximum: Float) -> [Int] {
        guard maximum > 0 else { return activations.map { _ in 0 } }
        return activations.map { Int(min(10, 10 * Double(max($0, 0)) / Double(maximum)).rounded(.down)) }
    }

    /// The text with some tokens between ⟦ and ⟧, neighbours in one pair. These signs in the text itself become
    /// square brackets, so that the text cannot mark anything.
    package func text(marking marked: Set<Int>) -> String {
        var text = ""
        for (index, token) in tokens.enumerated() {
            if marked.contains(index), !marked.contains(index - 1) { text += "⟦" }
            // By scalars: with a combining mark behind it, the sign would be part of another character.
            text.unicodeScalars += token.unicodeScalars.map { $0 == "⟦" ? "[" : $0 == "⟧" ? "]" : $0 }
            if marked.contains(index), !marked.contains(index + 1) { text += "⟧" }
        }
        return text
    }
}
