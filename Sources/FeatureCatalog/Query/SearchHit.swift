/// A feature that a search found, and the best of its texts.
package struct SearchHit: Equatable, Sendable {
    /// What a search looks through.
    package enum Scope: String, CaseIterable, Sendable {
        /// Explanations.
        case explanations
        /// Tokens that features promote, by the logit lens.
        case tokens
        /// Text around firings.
        case contexts
    }

    /// Where it was found.
    package let scope: Scope
    /// The dictionary's name.
    package let dictionary: String
    /// The latent's number.
    package let featureIndex: Int
    /// How many of its texts match, among those looked at.
    package let matchCount: Int
    /// How many of them have their peak token within the words looked for.
    package let peakCount: Int
    /// The best text; words that match stand between pairs of asterisks, a peak token between « and ».
    package let text: String

    /// Describes a hit.
    package init(
        scope: Scope, dictionary: String, featureIndex: Int, matchCount: Int, peakCount: Int, text: String
    ) {
        self.scope = scope
        self.dictionary = dictionary
        self.featureIndex = featureIndex
        self.matchCount = matchCount
        self.peakCount = peakCount
        self.text = text
    }
}
