/// The supported architectures: RouteSAE and those the paper compares it with.
package enum Architecture: String, Sendable, Codable, CaseIterable {
    /// RouteSAE: a learned router picks or mixes layers for every token, one TopK autoencoder reads the result (Wei et
    /// al. 2025, arXiv 2503.08200).
    case route
    /// TopK of one layer (Gao et al. 2024, arXiv 2406.04093).
    case topk
    /// ReLU with an L1 penalty, one layer (Bricken et al. 2023, "Towards Monosemanticity"; penalty weighted by decoder
    /// norm as in Anthropic's update of April 2024).
    case vanilla
    /// Separate gate and magnitude, one layer (Rajamanoharan et al. 2024, arXiv 2404.16014).
    case gated
    /// ReLU with a learned threshold and an L0 penalty, one layer (Rajamanoharan et al. 2024, arXiv 2407.14435).
    case jumprelu
    /// One set of latents that reads and writes all layers at once (Lindsey et al. 2024, "Sparse Crosscoders"); TopK
    /// where k is given, otherwise ReLU with an L1 penalty.
    case crosscoder
    /// TopK with each layer of a token as a separate sample (Lawson et al. 2024, arXiv 2409.04185).
    case mlsae
    /// TopK of a layer drawn uniformly for every token: routing without a router.
    case random

    /// Whether a dictionary of this kind reads exactly one layer.
    package var readsOneLayer: Bool {
        switch self {
        case .topk, .vanilla, .gated, .jumprelu: true
        case .route, .crosscoder, .mlsae, .random: false
        }
    }

    /// Whether k is required, forbidden or optional.
    package var activeLatents: ActiveLatents {
        switch self {
        case .route, .topk, .mlsae, .random: .fixed
        case .vanilla, .gated, .jumprelu: .penalised
        case .crosscoder: .either
        }
    }

    /// How the number of active latents is determined.
    package enum ActiveLatents {
        /// Always k.
        case fixed
        /// A penalty on their sum or number.
        case penalised
        /// k where it is given, a penalty where not.
        case either
    }
}

/// How the router's distribution over layers becomes one activation.
package enum RoutingMode: String, Sendable, Codable, CaseIterable {
    /// The most probable layer's activation.
    case hard
    /// The mean of all layers' activations under the router's distribution.
    case soft
}

/// How the layers' activations become the router's input.
package enum RouterAggregation: String, Sendable, Codable, CaseIterable {
    /// Their sum over the routed layers.
    case sum
    /// Their mean over the routed layers.
    case mean
}

/// The version of RouteSAE that a dictionary follows: the published code's or the corrected one.
package enum Fidelity: String, Sendable, Codable, CaseIterable {
    /// The computation of the authors' published code (swei2001/RouteSAEs at d1a3c06), step by step, defects kept, so
    /// that a run can be compared with PyTorch weight by weight.
    case reference
    /// The method with its known defects corrected: routing selects the unscaled activation and learns from the errors
    /// at every layer, kept latents are non-negative, dead latents are revived. The default.
    case corrected
}
