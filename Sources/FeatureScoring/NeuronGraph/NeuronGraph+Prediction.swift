extension NeuronGraph {
    /// Predicts the feature's activation at every token.
    ///
    /// At each token the longest pattern that ends there decides; of equally long ones, the one that is exact where
    /// they first differ, going backwards. 0 where no pattern ends.
    ///
    /// - Parameters:
    ///   - tokens: token ids in reading order, without the begin-of-sequence token.
    ///   - beginsSequence: whether nothing precedes the first token; only then patterns bound to the start can match.
    /// - Returns: as many activations as tokens.
    package func predict(tokens: [Int32], beginsSequence: Bool = false) -> [Float] {
        guard nodes.count > 1 else { return Array(repeating: 0, count: tokens.count) }
        return tokens.indices.map { index in
            var best = (length: 0, activation: Float(0))
            match(node: 0, length: 0, tokens: tokens, last: index, beginsSequence: beginsSequence, best: &best)
            return best.activation
        }
    }

    /// Predicts every token of some contexts, for scoring.
    package func simulate(_ contexts: [ScoringContext]) -> [SimulatedContext] {
        contexts.map { context in
            SimulatedContext(
                band: context.band,
                predicted: predict(tokens: context.tokens, beginsSequence: context.beginsSequence),
                actual: context.activations
            )
        }
    }

    /// Descends from a node that `length` tokens before and including `last` led to, exact edges first.
    private func match(
        node: Int,
        length: Int,
        tokens: [Int32],
        last: Int,
        beginsSequence: Bool,
        best: inout (length: Int, activation: Float)
    ) {
        if length > best.length {
            // At the start of the sequence a pattern bound to it is more specific.
            if beginsSequence, length == last + 1, let activation = nodes[node].activationAtStart {
                best = (length, activation)
            } else if let activation = nodes[node].activation {
                best = (length, activation)
            }
        }
        guard length <= last else { return }
        if let next = nodes[node].exact[tokens[last - length]] {
            match(
                node: next, length: length + 1, tokens: tokens, last: last, beginsSequence: beginsSequence, best: &best)
        }
        if let next = nodes[node].any {
            match(
                node: next, length: length + 1, tokens: tokens, last: last, beginsSequence: beginsSequence, best: &best)
        }
    }
}
