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

/// The operation of an edit on one latent, and the meaning of its strength.
package enum EditOperation: String, Sendable, Codable, CaseIterable {
    /// The latent becomes the strength, whether it was active or not.
    case set
    /// The strength is added, whether the latent was active or not; the sum is not less than 0.
    case add
    /// The latent is multiplied by the strength: 0 ablates it, 1 changes nothing.
    case multiply
}

/// The RouteSAE paper's protocol for counting interpretable features (arXiv 2503.08200, and `src/utils.py` of
/// `swei2001/RouteSAEs`).
///
/// Only activations above a threshold count, and only the two strongest of each token class are kept. A feature counts
/// if at least ``minimumContexts`` activations are kept, from at most ``maximumClasses`` classes.
package enum CountingProtocol {
    /// A feature with more token classes than this is too broad.
    package static let maximumClasses = 32
    /// A feature with fewer kept activations than this is too rare. The reference's code keeps features with more than
    /// 4, while the paper's text drops those with fewer than four; the code produced the paper's figures.
    package static let minimumContexts = 5
    /// The threshold as a fraction of the input's norm: the paper's 15 at d = 2048, 15 / √2048.
    package static let relativeThreshold = 0.331
}
