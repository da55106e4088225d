/// A pattern of tokens after which a feature fires, with its activation.
package struct NeuronPattern: Hashable, Sendable {
    /// The tokens in reading order, `nil` for a wildcard; the feature fires at the last one. Not empty.
    package let tokens: [Int32?]
    /// Whether the pattern holds only where its first token is the first of the sequence.
    package let startsSequence: Bool
    /// The mean activation of the contexts that led to the pattern.
    package let activation: Float
    /// The number of contexts that led to the pattern; at least 1.
    package let contexts: Int

    /// Makes a pattern.
    ///
    /// - Precondition: there is a token, the activation is finite, and at least one context led to the pattern.
    package init(tokens: [Int32?], startsSequence: Bool = false, activation: Float, contexts: Int = 1) {
        precondition(!tokens.isEmpty && activation.isFinite && contexts >= 1, "not a pattern")
        self.tokens = tokens
        self.startsSequence = startsSequence
        self.activation = activation
        self.contexts = contexts
    }

    /// Orders patterns from the last token backwards: lower ids first, wildcards last, shorter first.
    static func canonicallyPrecedes(_ left: NeuronPattern, _ right: NeuronPattern) -> Bool {
        for (one, other) in zip(left.tokens.reversed(), right.tokens.reversed()) where one != other {
            guard let one else { return false }
            guard let other else { return true }
            return one < other
        }
        if left.tokens.count != right.tokens.count { return left.tokens.count < right.tokens.count }
        return !left.startsSequence && right.startsSequence
    }
}
