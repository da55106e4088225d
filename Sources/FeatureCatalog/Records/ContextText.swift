package import Vocabulary

/// A context with the text of its tokens, cut out of its passage.
package struct ContextText: Equatable, Sendable {
    /// The latent's number.
    package let featureIndex: Int
    /// How it was found.
    package let band: ContextBand
    /// Its rank in the band, counted from 0.
    package let rank: Int
    /// The passage.
    package let passageID: Int64
    /// The document.
    package let documentID: Int64
    /// The document's number in its corpus.
    package let ordinal: Int
    /// The document's title.
    package let title: String?
    /// The peak token's index in the document's token ids.
    package let tokenPosition: Int
    /// The decoder layer that the peak token was routed to.
    package let layer: Int
    /// The router's weight at the peak token; nil without a router.
    package let routerWeight: Float?
    /// The activation at the peak token; 0 in `quiet`.
    package let activation: Float
    /// Whether it is for explaining or for scoring; nil for neither.
    package let split: ContextSplit?
    /// How often the window's tokens occur in the corpus; nil where that was not counted.
    package let occurrenceCount: Int?
    /// The texts of the tokens; of tokens that share a character the last one that begins in it has it, the others
    /// are empty. Those of the window, or of the whole passage.
    package let tokens: [String]
    /// Activations `[window tokens]`.
    package let activations: [Float]
    /// The window's tokens, as indices in `tokens`.
    package let window: Range<Int>
    /// The peak token's index in `tokens`.
    package let peak: Int
    /// Whether the passage goes on before and behind `tokens`.
    package let isCut: (before: Bool, behind: Bool)

    /// The same with fewer tokens of its window around the peak.
    ///
    /// - Parameters:
    ///   - before: Tokens before the peak at most.
    ///   - behind: Tokens behind it at most.
    package func cut(before: Int, behind: Int) -> ContextText {
        let shown = max(window.lowerBound, peak - before)..<min(window.upperBound, peak + 1 + behind)
        let first = shown.lowerBound - window.lowerBound
        return ContextText(
            featureIndex: featureIndex, band: band, rank: rank, passageID: passageID, documentID: documentID,
            ordinal: ordinal, title: title, tokenPosition: tokenPosition, layer: layer, routerWeight: routerWeight,
            activation: activation, split: split, occurrenceCount: occurrenceCount, tokens: Array(tokens[shown]),
            activations: Array(activations[first..<first + shown.count]), window: 0..<shown.count,
            peak: peak - shown.lowerBound,
            isCut: (isCut.before || shown.lowerBound > 0, isCut.behind || shown.upperBound < tokens.count))
    }

    /// Whether two are of the same place and show the same.
    package static func == (one: ContextText, other: ContextText) -> Bool {
        one.featureIndex == other.featureIndex && one.band == other.band && one.rank == other.rank
            && one.passageID == other.passageID && one.tokens == other.tokens && one.activations == other.activations
            && one.window == other.window && one.peak == other.peak
    }
}
