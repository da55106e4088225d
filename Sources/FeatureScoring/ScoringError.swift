/// An input that cannot be explained or scored.
package enum ScoringError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A context's arrays disagree or its peak lies outside them.
    case malformedContext(contextID: Int64, reason: String)
    /// A context's predictions and truths have different lengths; `position` counts the contexts from 0.
    case lengthMismatch(position: Int, predicted: Int, actual: Int)
    /// A prediction or a truth is NaN or infinite; `position` counts the contexts from 0.
    case notFinite(position: Int, token: Int)
    /// A probe answered a batch with the wrong number of activations.
    case probeCount(requested: Int, returned: Int)
    /// A probe returned NaN or an infinity, so the model or the dictionary is damaged.
    case probeNotFinite(featureIndex: Int, tokens: [Int32])
    /// A setting is out of range.
    case invalidConfiguration(name: String, value: String, expected: String)

    /// One line: what is wrong, where, what to do.
    package var description: String {
        switch self {
        case .malformedContext(let contextID, let reason):
            "context \(contextID) is malformed: \(reason); rebuild the index"
        case .lengthMismatch(let position, let predicted, let actual):
            "context \(position) has \(predicted) predictions for \(actual) tokens; predict every token of the context"
        case .notFinite(let position, let token):
            "context \(position) holds a value that is not finite at token \(token); rebuild the index"
        case .probeCount(let requested, let returned):
            "the probe answered \(requested) requests with \(returned) activations; it must return one for each"
        case .probeNotFinite(let featureIndex, let tokens):
            "feature \(featureIndex) has no finite activation after tokens \(tokens.prefix(16)); "
                + "check the model's and the dictionary's weights"
        case .invalidConfiguration(let name, let value, let expected):
            "\(name) is \(value), expected \(expected)"
        }
    }
}
