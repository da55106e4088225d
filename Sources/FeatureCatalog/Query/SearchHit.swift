/// A feature found by a search, with the best of its texts.
package struct SearchHit: Equatable, Sendable {
    /// What is searched.
    package enum Scope: String, CaseIterable, Sendable {
        /// Explanations.
        case explanations
        /// Tokens that features promote, by the logit lens.
        case tokens
        /// Text around firings.
        case contexts
    }

    /// The scope it was found in.
    package let scope: Scope
    /// The dictionary's name.
    package let dictionary: String
    /// The latent's number.
    package let featureIndex: Int
    /// The number of matching texts, among those examined.
    package let matchCount: Int
    /// The number of them with their peak token within the search words.
    package let peakCount: Int
    /// The best text; matching words between pairs of asterisks, a peak token between « and ».
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
