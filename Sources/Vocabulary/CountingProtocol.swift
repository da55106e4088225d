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
