import SparseCoding
import Vocabulary

/// The gradient of a router that sends each token to one layer, although the choice has no derivative.
///
/// Only corrected hard routing needs it: soft routing is differentiable, and the authors' code multiplies the
/// chosen activation by its probability.
package enum RouterGradient: String, Sendable, Codable, CaseIterable {
    /// The dictionary's errors at every layer, measured on part of each batch: the gradient of
    /// Σ_l p_l e_l with e_l = ‖û_l − x_l‖² / ‖x_l‖², the expected NormMSE if the layer were drawn from the router's
    /// probabilities (Jacobs, Jordan, Nowlan & Hinton 1991, "Adaptive Mixtures of Local Experts", eq. 1.2). It is exact
    /// and uses the actual errors of the other layers.
    case layerErrors
    /// Forward the chosen layer, backward as if the choice were soft (Bengio et al. 2013, arXiv 1308.3432): the
    /// effect of the other layers is extrapolated from the gradient at the chosen one.
    case straightThrough
}

extension DictionaryConfiguration {
    /// Whether the loss does not determine the router's gradient.
    var choosesRouterGradient: Bool { routes && routing == .hard && fidelity == .corrected }
}
