/// The tests of an explanation or a feature.
package enum ScoreMethod: String, Sendable, CaseIterable {
    /// Correlation of simulated and true activations (Bills et al. 2023).
    case simulation
    /// Does this text contain the feature (Paulo et al. 2024, arXiv 2410.13928)?
    case detection
    /// Are the marked tokens the right ones (the same paper)?
    case fuzzing
    /// A judge's category and score of 1 to 5 (the RouteSAE paper, arXiv 2503.08200).
    case rubric
}
