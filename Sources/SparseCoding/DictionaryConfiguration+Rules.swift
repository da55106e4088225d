import Vocabulary

/// What follows from a configuration; everything that differs between the architectures in a yes or a number is said
/// here and nowhere else.
extension DictionaryConfiguration {
    /// Whether a router with weights decides.
    package var routes: Bool { architecture == .route && layers.count > 1 }

    /// Width D of the autoencoder's input: a crosscoder reads its layers one after another, all others read one layer's
    /// width.
    package var inputWidth: Int { architecture == .crosscoder ? layers.count * dModel : dModel }

    /// The pieces of the input that are measured apart: a crosscoder's layers, or one.
    package var parts: Int { architecture == .crosscoder ? layers.count : 1 }

    /// Samples that a token gives: MLSAE learns from each layer of it.
    package var samplesPerToken: Int { architecture == .mlsae ? layers.count : 1 }

    /// Whether kept latents below zero are set to zero. The authors' code keeps them; Gao et al. (section 2.3) do not,
    /// and an activation below zero cannot be read as a feature being present.
    package var rectified: Bool { fidelity == .corrected }

    /// Whether hard routing multiplies the chosen activation by its probability, as the authors' code does.
    package var scalesByProbability: Bool { routes && fidelity == .reference && routing == .hard }

    /// Whether there is a decoder bias b_pre. The authors' crosscoder has none.
    package var hasPreBias: Bool { architecture != .crosscoder || fidelity == .corrected }

    /// Whether b_pre is taken off the input before encoding. Crosscoders (Lindsey et al. 2024) and JumpReLU
    /// (arXiv 2407.14435, eq. 1 and 2) only add it after decoding; the authors' JumpReLU takes it off.
    package var subtractsPreBias: Bool {
        switch architecture {
        case .crosscoder: false
        case .jumprelu: fidelity == .reference
        default: true
        }
    }
}
