import Vocabulary

/// Properties derived from a configuration; all differences between architectures that are a yes or a number are
/// defined here only.
extension DictionaryConfiguration {
    /// Whether it has a router with weights.
    package var routes: Bool { architecture == .route && layers.count > 1 }

    /// Width D of the autoencoder's input: a crosscoder concatenates its layers, all others read one layer's
    /// width.
    package var inputWidth: Int { architecture == .crosscoder ? layers.count * dModel : dModel }

    /// Parts of the input that are measured separately: a crosscoder's layers, or one.
    package var parts: Int { architecture == .crosscoder ? layers.count : 1 }

    /// Samples per token: MLSAE trains on each layer of it.
    package var samplesPerToken: Int { architecture == .mlsae ? layers.count : 1 }

    /// Whether kept latents below zero are set to zero. The authors' code keeps them; Gao et al. (section 2.3) do not,
    /// and an activation below zero cannot be read as a feature being present.
    package var rectified: Bool { fidelity == .corrected }

    /// Whether hard routing multiplies the chosen activation by its probability, as the authors' code does.
    package var scalesByProbability: Bool { routes && fidelity == .reference && routing == .hard }

    /// Whether there is a decoder bias b_pre. The authors' crosscoder has none.
    package var hasPreBias: Bool { architecture != .crosscoder || fidelity == .corrected }

    /// Number of thresholds: one for each latent, one for all, or none.
    package var thresholds: Int {
        switch thresholdForm {
        case nil: 0
        case .shared: 1
        case .logarithm, .value: latents
        }
    }
}
