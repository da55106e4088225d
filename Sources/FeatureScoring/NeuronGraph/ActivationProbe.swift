/// A request for one feature's activation at the last of some tokens.
package struct ProbeRequest: Hashable, Sendable {
    /// The feature's index in its dictionary.
    package let featureIndex: Int
    /// The token ids that the model is to read, in order and without the begin-of-sequence token; not empty.
    package let tokens: [Int32]
    /// The decoder layer that the last token is read from, if the text does not determine it; nil if it does.
    package let layer: Int?

    /// Makes a request.
    package init(featureIndex: Int, tokens: [Int32], layer: Int? = nil) {
        self.featureIndex = featureIndex
        self.tokens = tokens
        self.layer = layer
    }

    /// The order in which requests are sent: by length, then tokens, then feature, then layer.
    static func precedes(_ left: ProbeRequest, _ right: ProbeRequest) -> Bool {
        if left.tokens.count != right.tokens.count { return left.tokens.count < right.tokens.count }
        for (one, other) in zip(left.tokens, right.tokens) where one != other { return one < other }
        return (left.featureIndex, left.layer ?? -1) < (right.featureIndex, right.layer ?? -1)
    }
}

/// A language model with a dictionary, as used by an explainer.
package protocol ActivationProbe {
    /// Runs the model on each request's tokens, after the begin-of-sequence token that the probe puts before them.
    ///
    /// `NeuronToGraphExplainer` sends requests without repetition and sorted by length, then tokens, then feature: a
    /// batch needs hardly any padding, and requests that differ only in the feature are neighbours and can share one
    /// pass of the model.
    ///
    /// - Returns: for each request, in order, the feature's activation at the last token, 0 where it does not fire.
    func activations(of requests: [ProbeRequest]) throws -> [Float]
}
