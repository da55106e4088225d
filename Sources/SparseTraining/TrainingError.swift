/// Why training stopped.
package enum TrainingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The loss of a step is an infinity or a NaN, or so large that the squares of its gradients are. The weights are those of the last good step.
    case lossNotFinite(step: Int)
    /// The stream has no tokens to train on.
    case noTokens(source: String)
    /// Activation files do not fit together: what differs, in which file.
    case mismatch(path: String, what: String)

    /// One line: what is wrong, where, and what to do.
    package var description: String {
        switch self {
        case .lossNotFinite(let step):
            "the loss is not finite at step \(step); try a lower `learningRate`"
        case .noTokens(let source):
            "\(source): no tokens to train on"
        case .mismatch(let path, let what):
            "\(path): \(what)"
        }
    }
}
