import SparseCoding
import Vocabulary

/// How a router that sends each token to one layer learns, although a choice has no derivative.
///
/// Only corrected hard routing has to be told: soft routing is differentiable, and the authors' code multiplies the
/// chosen activation by its probability.
package enum RouterGradient: String, Sendable, Codable, CaseIterable {
    /// By the errors that the dictionary makes at every layer, measured on part of each batch: the gradient of
    /// Σ_l p_l e_l with e_l = ‖û_l − x_l‖² / ‖x_l‖², the expected NormMSE if the layer were drawn from the router's
    /// probabilities (Jacobs, Jordan, Nowlan & Hinton 1991, "Adaptive Mixtures of Local Experts", eq. 1.2). It is exact,
    /// and sees the layers that were not chosen as they are.
    case layerErrors
    /// Forward the chosen layer, backward as if the choice were soft (Bengio et al. 2013, arXiv 1308.3432): what the
    /// other layers would do is guessed from the slope at the chosen one.
    case straightThrough
}

extension DictionaryConfiguration {
    /// Whether the loss itself says nothing of how the router learns.
    var choosesRouterGradient: Bool { routes && routing == .hard && fidelity == .corrected }
}
