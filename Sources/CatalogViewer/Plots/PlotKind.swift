/// The charts that a catalog can be drawn as.
package enum PlotKind: String, CaseIterable, Sendable {
    /// The training loss of a run.
    case loss
    /// A feature's activations.
    case histogram
    /// A feature's firings by layer.
    case layers
    /// Tokens by the layer to which they are routed.
    case routing
    /// KL against L0 of all dictionaries evaluated.
    case pareto
    /// Scores of explanations, and of wrong ones.
    case scores
    /// All features in a plane.
    case map
    /// A feature's changes of all tokens' logits.
    case logits

    /// Whether it shows one feature.
    package var isOfFeature: Bool { [.histogram, .layers, .logits].contains(self) }

    /// Whether it reads the index of a dictionary.
    var isOfIndex: Bool { self != .loss && self != .pareto }
}
