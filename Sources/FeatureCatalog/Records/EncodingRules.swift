package import Vocabulary

/// What a dictionary does to its input, and which latents it keeps (columns of `dictionary`).
package struct EncodingRules: Equatable, Sendable {
    /// How a residual stream becomes what is encoded.
    package let input: InputRule
    /// The epsilon of a layer norm; nil for the others.
    package let inputEpsilon: Double?
    /// The factor of a constant scale; nil for the others.
    package let inputScale: Double?
    /// Whether the pre-bias is subtracted before encoding.
    package let subtractsPreBias: Bool
    /// Which latents are kept; nil without k.
    package let selection: LatentSelection?
    /// The meaning of the tensor `threshold`; nil without one.
    package let thresholdForm: ThresholdForm?

    /// Describes rules.
    package init(
        input: InputRule, inputEpsilon: Double? = nil, inputScale: Double? = nil, subtractsPreBias: Bool,
        selection: LatentSelection?, thresholdForm: ThresholdForm?
    ) {
        self.input = input
        self.inputEpsilon = inputEpsilon
        self.inputScale = inputScale
        self.subtractsPreBias = subtractsPreBias
        self.selection = selection
        self.thresholdForm = thresholdForm
    }

    /// The rules of a dictionary trained here: a layer norm with the epsilon 1e-6, the rest by its architecture.
    package init(_ architecture: Architecture, _ fidelity: Fidelity, k: Int?) {
        self.init(
            input: .layerNorm, inputEpsilon: 1e-6, subtractsPreBias: architecture.subtractsPreBias(fidelity),
            selection: k == nil ? nil : .activation, thresholdForm: architecture.thresholdForm(fidelity))
    }
}
