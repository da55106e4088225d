import SparseCoding
import Vocabulary

/// Constrains the norms of decoder directions; otherwise small activations and large directions would evade the
/// penalty.
package enum DecoderNorm: String, Sendable, Codable, CaseIterable {
    /// Every latent's direction is normalised every few steps.
    case unit
    /// Each layer's part of it is normalised: the authors' crosscoder.
    case unitPerLayer
    /// Unconstrained; the penalty weighs an activation by its direction's norm instead, and norms are folded into the
    /// encoder at the end (Anthropic, update of April 2024).
    case free

    /// The choice of each architecture's own paper, or of the authors' code.
    init(of configuration: DictionaryConfiguration) {
        switch (configuration.architecture, configuration.fidelity) {
        case (.crosscoder, .reference): self = .unitPerLayer
        case (.crosscoder, .corrected): self = configuration.k == nil ? .free : .unit
        case (.vanilla, .corrected): self = .free
        default: self = .unit
        }
    }
}
