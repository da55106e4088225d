package import Vocabulary

/// A stretch of text with one feature's activation at every token.
package struct ScoringContext: Hashable, Sendable {
    /// The context's identity in the catalog.
    package let contextID: Int64
    /// The token ids, in reading order; not empty, and without the begin-of-sequence token.
    package let tokens: [Int32]
    /// The feature's activation at every token, 0 where it does not fire; as many as `tokens`, all finite.
    package let activations: [Float]
    /// The token the context was chosen for.
    package let peakIndex: Int
    /// The band it was chosen for.
    package let band: ContextBand
    /// Whether it is for explaining or for scoring.
    package let split: ContextSplit
    /// Whether the first token directly follows the begin-of-sequence token, so that nothing precedes it.
    package let beginsSequence: Bool
    /// The decoder layer that the peak token was read from, for a dictionary that draws it; nil where it follows from
    /// the text.
    package let layer: Int?

    /// The activation at the token that the context was chosen for.
    package var peakActivation: Float { activations[peakIndex] }

    /// Makes a context after checking its arrays against each other.
    ///
    /// - Throws: `ScoringError.malformedContext` when there are no tokens, the counts differ, the peak is out of range
    ///   or an activation is not finite.
    package init(
        contextID: Int64,
        tokens: [Int32],
        activations: [Float],
        peakIndex: Int,
        band: ContextBand,
        split: ContextSplit,
        beginsSequence: Bool = false,
        layer: Int? = nil
    ) throws {
        func malformed(_ reason: String) -> ScoringError {
            .malformedContext(contextID: contextID, reason: reason)
        }
        guard !tokens.isEmpty else { throw malformed("it has no tokens") }
        guard tokens.count == activations.count else {
            throw malformed("it has \(tokens.count) tokens and \(activations.count) activations")
        }
        guard tokens.indices.contains(peakIndex) else {
            throw malformed("its peak is token \(peakIndex) of \(tokens.count)")
        }
        if let index = activations.firstIndex(where: { !$0.isFinite }) {
            throw malformed("its activation at token \(index) is \(activations[index])")
        }
        self.contextID = contextID
        self.tokens = tokens
        self.activations = activations
        self.peakIndex = peakIndex
        self.band = band
        self.split = split
        self.beginsSequence = beginsSequence
        self.layer = layer
    }
}

/// One feature with all its contexts, of either split.
package struct FeatureContexts: Hashable, Sendable {
    /// The feature's index in its dictionary.
    package let featureIndex: Int
    /// The feature's contexts.
    package let contexts: [ScoringContext]

    /// Makes a feature's contexts.
    package init(featureIndex: Int, contexts: [ScoringContext]) {
        self.featureIndex = featureIndex
        self.contexts = contexts
    }
}
