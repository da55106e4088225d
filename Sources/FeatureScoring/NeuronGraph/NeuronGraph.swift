/// A feature's explanation as token patterns after which it fires: a trie read from the last token backwards.
///
/// The form is that of Neuron to Graph (Foote et al. 2023, arXiv 2305.19911) in the simplified version of
/// `openai/sparse_autoencoder`, `explanations.py`, with two differences. There the shortest match predicts; here
/// the longest does, as it is more specific. There a later pattern overwrites an equal earlier one; here equal ones are
/// merged into the mean activation of their contexts, the least-squares prediction, in any order.
///
/// Made by `NeuronToGraphExplainer` with a model at hand, or from observed contexts alone.
package struct NeuronGraph: Sendable, Equatable {
    /// The patterns, none twice, ordered from the last token backwards.
    package let patterns: [NeuronPattern]
    /// The explain contexts for which no short pattern was found, so that their longest suffix is used.
    package let unreducedContexts: Int

    /// The trie; node 0 is the root.
    let nodes: [Node]

    /// A node of the trie: the tokens on the path to it, from the last one backwards, are the end of a pattern.
    struct Node: Sendable, Equatable {
        /// The nodes reached by a given token further back.
        var exact: [Int32: Int] = [:]
        /// The node reached by any token further back.
        var any: Int?
        /// The activation predicted by a pattern that ends here.
        var activation: Float?
        /// The activation predicted by a pattern that ends here at the start of the sequence.
        var activationAtStart: Float?
    }

    /// Builds the trie of some patterns; equal ones are merged into the mean activation of their contexts.
    package init(patterns: [NeuronPattern], unreducedContexts: Int = 0) {
        self.patterns = Self.merged(patterns)
        self.unreducedContexts = unreducedContexts
        var nodes = [Node()]
        for pattern in self.patterns {
            var node = 0
            for token in pattern.tokens.reversed() {
                let next = token.map { nodes[node].exact[$0] } ?? nodes[node].any
                if let next {
                    node = next
                } else {
                    let new = nodes.count
                    if let token { nodes[node].exact[token] = new } else { nodes[node].any = new }
                    nodes.append(Node())
                    node = new
                }
            }
            if pattern.startsSequence {
                nodes[node].activationAtStart = pattern.activation
            } else {
                nodes[node].activation = pattern.activation
            }
        }
        self.nodes = nodes
    }

    private static func merged(_ patterns: [NeuronPattern]) -> [NeuronPattern] {
        struct Key: Hashable {
            let tokens: [Int32?]
            let startsSequence: Bool
        }

        let groups = Dictionary(grouping: patterns) { Key(tokens: $0.tokens, startsSequence: $0.startsSequence) }
        return groups.map { key, group -> NeuronPattern in
            if group.count == 1 { return group[0] }
            // Sorted, so that the sum does not depend on the order in which the patterns were found.
            let sorted = group.sorted { ($0.activation, $0.contexts) < ($1.activation, $1.contexts) }
            let weight = sorted.reduce(0.0) { $0 + Double($1.contexts) }
            let sum = sorted.reduce(0.0) { $0 + Double($1.activation) * Double($1.contexts) }
            return NeuronPattern(
                tokens: key.tokens,
                startsSequence: key.startsSequence,
                activation: Float(sum / weight),
                contexts: sorted.reduce(0) {
                    let (total, overflow) = $0.addingReportingOverflow($1.contexts)
                    return overflow ? .max : total
                }
            )
        }
        .sorted(by: NeuronPattern.canonicallyPrecedes)
    }
}
