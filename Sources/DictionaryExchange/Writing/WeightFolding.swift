import SparseCoding

/// Factors that put a constant input scale s, and the norms n of the decoder's rows, into the weights.
///
/// With x = s · h the pre-activations are W_enc (s h − b_pre) + b = (s W_enc) (h − b_pre / s) + b, with or without
/// b_pre subtracted, and the reconstruction of h is (Σ a W_dec + b_pre) / s. With activations a · n, as
/// `LatentSelection.activationTimesNorm` has them, row j of the encoder and its bias are multiplied by n_j, and row j
/// of the decoder is divided by it. A row of zeros stays as it is: its activation is 0 in both.
struct WeightFolding {
    /// By which row j of the encoder is multiplied; nil for no change. The same goes for the others.
    let encoder: [Double]?
    /// By which the bias of latent j is multiplied.
    let latentBias: [Double]?
    /// By which row j of the decoder is multiplied.
    let decoder: [Double]?
    /// By which b_pre is multiplied.
    let preBias: Double?

    /// Combines a scale and norms.
    ///
    /// - Parameters:
    ///   - scale: s, nil for 1.
    ///   - norms: n by latent, nil for all 1.
    init(latents: Int, scale: Double?, norms: [Double]?) {
        latentBias = norms
        preBias = scale.map { 1 / $0 }
        guard scale != nil || norms != nil else {
            (encoder, decoder) = (nil, nil)
            return
        }
        let s = scale ?? 1
        let n = norms ?? Array(repeating: 1, count: latents)
        encoder = n.map { s * $0 }
        decoder = n.map { $0 == 0 ? 1 / s : 1 / ($0 * s) }
    }

    /// Multiplies a vector; nil where it stays as it is.
    static func product(_ values: [Float], _ factors: [Double]?) -> [Float]? {
        factors.map { factors in zip(values, factors).map { Float(Double($0) * $1) } }
    }
}

extension DictionaryConfiguration {
    /// The input's constant scale as it is computed with, if it has one.
    var foldedScale: Double? { input.factor.map { Double(Float($0)) } }
}
