package import Vocabulary

/// A stretch of a document around a token on which a feature fires, or verifiably does not (table `context`).
package struct ContextRecord: Equatable, Sendable {
    /// The key.
    package let contextID: Int64
    /// The latent's number.
    package let featureIndex: Int
    /// How it was found.
    package let band: ContextBand
    /// Its rank in the band, counted from 0; in `top` the strongest is 0.
    package let rank: Int
    /// The passage it is a window of.
    package let passageID: Int64
    /// The document.
    package let documentID: Int64
    /// The peak token's index in the document's token ids.
    package let tokenPosition: Int
    /// The model window of the document that holds the token, counted from 0.
    package let segment: Int
    /// Index of the window's first token in the document's token ids.
    package let windowStart: Int
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
    /// Activations `[window tokens]`; their count is the column `window_length`.
    package let activations: [Float]
    /// The window as text with the peak token between « and ».
    package let excerpt: String

    /// Describes a context.
    package init(
        contextID: Int64, featureIndex: Int, band: ContextBand, rank: Int, passageID: Int64, documentID: Int64,
        tokenPosition: Int, segment: Int, windowStart: Int, layer: Int, routerWeight: Float?, activation: Float,
        split: ContextSplit?, occurrenceCount: Int? = nil, activations: [Float], excerpt: String
    ) {
        self.contextID = contextID
        self.featureIndex = featureIndex
        self.band = band
        self.rank = rank
        self.passageID = passageID
        self.documentID = documentID
        self.tokenPosition = tokenPosition
        self.segment = segment
        self.windowStart = windowStart
        self.layer = layer
        self.routerWeight = routerWeight
        self.activation = activation
        self.split = split
        self.occurrenceCount = occurrenceCount
        self.activations = activations
        self.excerpt = excerpt
    }
}

/// A context to be written into the catalog (table `feature_context`).
///
/// A feature has at most one context per token, whatever the band: the indexer drops from `sample` what is in `top`.
/// Contexts of one feature in the same passage never belong to different splits; the database refuses both.
package struct ContextEntry: Equatable, Sendable {
    /// How it was found.
    package let band: ContextBand
    /// Its rank in the band, counted from 0; in `top` the strongest is 0.
    package let rank: Int
    /// The passage.
    package let passageID: Int64
    /// The peak token's index in the passage.
    package let position: Int
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
    /// Activations `[window tokens]`, of the window that ``ContextWindow`` gives.
    package let activations: [Float]

    /// Describes a context.
    package init(
        band: ContextBand, rank: Int, passageID: Int64, position: Int, layer: Int, routerWeight: Float?,
        activation: Float, split: ContextSplit?, occurrenceCount: Int? = nil, activations: [Float]
    ) {
        self.band = band
        self.rank = rank
        self.passageID = passageID
        self.position = position
        self.layer = layer
        self.routerWeight = routerWeight
        self.activation = activation
        self.split = split
        self.occurrenceCount = occurrenceCount
        self.activations = activations
    }
}

/// The tokens of a passage that a context shows: as many as requested, within the passage, with more text before the
/// peak than after it, since a decoder's features depend on what precedes. The view `context` computes the same.
package enum ContextWindow {
    /// The window around a token.
    ///
    /// - Parameters:
    ///   - position: The peak token in the passage, 0 ..< `passageLength`.
    ///   - passageLength: Tokens of the passage.
    ///   - length: Tokens asked for.
    @inlinable
    package static func range(around position: Int, in passageLength: Int, length: Int) -> Range<Int> {
        let end = min(max(position + 1 + length / 4, length), passageLength)
        return max(end - length, 0)..<end
    }
}
