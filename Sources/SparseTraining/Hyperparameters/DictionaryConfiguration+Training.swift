import SparseCoding
import Vocabulary

extension DictionaryConfiguration {
    /// Whether a number of latents is kept: k of every sample, or of a batch so many that k is the mean. What has one
    /// threshold for all latents is trained here by BatchTopK alone.
    var keepsByCount: Bool { k != nil || thresholdForm == .shared }

    /// What is trained, in messages.
    var trainedName: String {
        thresholdForm == .shared && architecture == .jumprelu
            ? ActivationSparsity.batchtopk.rawValue : architecture.rawValue
    }
}
