/// Why a score has no value. It is never replaced by a number.
package enum UndefinedReason: String, Codable, CaseIterable, Hashable, Sendable, CustomStringConvertible {
    /// No tokens to score on.
    case noTokens = "no-tokens"
    /// The feature has the same activation at every token.
    case constantTruth = "constant-truth"
    /// The explanation predicts the same activation at every token.
    case constantPrediction = "constant-prediction"

    /// A sentence for the `reason` of a score.
    package var description: String {
        switch self {
        case .noTokens: "there are no tokens to score"
        case .constantTruth: "the feature has no variance in the scored contexts"
        case .constantPrediction: "the explanation predicts the same activation at every token"
        }
    }
}

/// Whether a score has a value.
package enum ScoreStatus: Hashable, Sendable {
    /// It has a value.
    case ok
    /// It is undefined.
    case undefined(UndefinedReason)
}
