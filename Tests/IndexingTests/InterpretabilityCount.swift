import Indexing

/// The RouteSAE paper's protocol for counting interpretable features (arXiv 2503.08200, and `src/utils.py` of
/// `swei2001/RouteSAEs`), as a function of one feature's token classes.
///
/// Only activations above a threshold count, and only the two strongest of each token class are kept. A feature counts
/// if at least 5 activations are kept, from at most 32 classes.
struct InterpretabilityCount: Hashable, Sendable {
    /// A feature with more token classes than this is too broad.
    static let classLimit = 32
    /// A feature with fewer kept activations than this is too rare. The reference's code keeps features with more than
    /// 4, while the paper's text drops those with fewer than four; the code produced the paper's figures.
    static let contextMinimum = 5

    /// The token classes with an activation above the threshold.
    let classCount: Int
    /// The activations kept: of every class, up to two above the threshold.
    let contextCount: Int

    /// Whether the feature counts.
    var isInterpretable: Bool { isFrequent && classCount <= Self.classLimit }
    /// Whether the feature counts when it may have any number of classes.
    var isFrequent: Bool { contextCount >= Self.contextMinimum }

    /// Counts one feature's classes and activations above a threshold.
    ///
    /// - Parameters:
    ///   - classes: the feature's token classes, each once; those of a `TokenClassTable` are enough.
    ///   - threshold: 15 in the paper, for vectors of width 2048; 0.331·√d for width d.
    init(_ classes: some Sequence<TokenClassPeaks>, threshold: Float) {
        var (classCount, contextCount) = (0, 0)
        for peaks in classes where peaks.strongest > threshold {
            classCount += 1
            contextCount += 1
            if let second = peaks.second, second > threshold { contextCount += 1 }
        }
        self.classCount = classCount
        self.contextCount = contextCount
    }
}

extension TokenClassTable {
    /// Counts the feature by the paper's protocol, naively.
    func interpretability(threshold: Float) -> InterpretabilityCount {
        InterpretabilityCount(entries.map(\.peaks), threshold: threshold)
    }
}
