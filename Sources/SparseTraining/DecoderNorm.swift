import SparseCoding
import Vocabulary

/// What holds the decoder's directions at a size, without which a sum penalty would be met by small activations and large
/// directions.
package enum DecoderNorm: String, Sendable, Codable, CaseIterable {
    /// Every latent's direction returns to unit norm every few steps.
    case unit
    /// So does each layer's part of it: the authors' crosscoder.
    case unitPerLayer
    /// Nothing; the penalty weighs an activation by its direction's norm instead, and the norms are folded into the
    /// encoder at the end (Anthropic, update of April 2024).
    case free

    /// What each architecture's own paper does, or the authors' code.
    init(of configuration: DictionaryConfiguration) {
        switch (configuration.architecture, configuration.fidelity) {
        case (.crosscoder, .reference): self = .unitPerLayer
        case (.crosscoder, .corrected): self = configuration.k == nil ? .free : .unit
        case (.vanilla, .corrected): self = .free
        default: self = .unit
        }
    }
}
