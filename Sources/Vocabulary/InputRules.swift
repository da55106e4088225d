/// How a residual stream becomes what a dictionary encodes; its numbers are in SparseCoding's `InputNormalization`.
package enum InputRule: String, Sendable, Codable, CaseIterable {
    /// It is read as it is.
    case none
    /// Mean 0 and deviation 1, over the width of the stream.
    case layerNorm = "layer_norm"
    /// It is multiplied by a constant.
    case scale
    /// It is scaled to the norm √d.
    case unitNorm = "unit_norm"
}

/// Which latents a dictionary with a k keeps.
package enum LatentSelection: String, Sendable, Codable, CaseIterable {
    /// Those with the k largest pre-activations (TopK, Gao et al. 2024).
    case activation
    /// Those with the k largest products of pre-activation and norm of the decoder vector; the product is the
    /// activation (`rescale_acts_by_decoder_norm` of SAELens).
    case activationTimesNorm = "activation_times_norm"
    /// The largest of each of k equal runs of latents (`groupmax` of sparsify).
    case groups = "group_max"
}

/// The meaning of a JumpReLU's tensor `threshold`.
package enum ThresholdForm: String, Sendable, Codable, CaseIterable {
    /// log θ, one for each latent.
    case logarithm = "log"
    /// θ, one for each latent.
    case value
    /// θ, one for all latents, as BatchTopK leaves it (Bussmann et al. 2024, arXiv 2412.06410).
    case shared
}

extension Architecture {
    /// Whether b_pre is by itself subtracted from the input before encoding. Crosscoders (Lindsey et al. 2024) and
    /// JumpReLU (arXiv 2407.14435, eq. 1 and 2) only add it after decoding; the authors' JumpReLU subtracts it.
    package func subtractsPreBias(_ fidelity: Fidelity) -> Bool {
        switch self {
        case .crosscoder: false
        case .jumprelu: fidelity == .reference
        default: true
        }
    }

    /// The form of thresholds that are trained here: their logarithms if corrected, themselves in the reference; nil for
    /// an architecture without thresholds.
    package func thresholdForm(_ fidelity: Fidelity) -> ThresholdForm? {
        guard self == .jumprelu else { return nil }
        return fidelity == .corrected ? .logarithm : .value
    }
}
