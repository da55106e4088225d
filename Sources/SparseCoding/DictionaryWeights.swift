package import LinearAlgebra
import Vocabulary

/// The weights of one dictionary. Updated in place while training.
///
/// D is the configuration's `inputWidth`. Tensors that an architecture lacks have no rows.
package final class DictionaryWeights: Sendable {
    /// W_r `[layers × d]`: the router, no bias.
    package let router: Matrix
    /// b_pre `[1 × D]`: added after decoding, and for most architectures subtracted before encoding.
    package let preBias: Matrix
    /// b_lat `[1 × latents]`: added to the pre-activations. A gated dictionary has two others instead.
    package let latentBias: Matrix
    /// W_enc `[latents × D]`: row j is latent j's encoder direction.
    package let encoder: Matrix
    /// W_decᵀ `[latents × D]`: row j is latent j's decoder direction. Weight files hold the transpose `[D × latents]`;
    /// here one feature's direction is contiguous.
    package let decoder: Matrix
    /// b_gate `[1 × latents]`, gated only: the gate is open where W_enc x + b_gate > 0.
    package let gateBias: Matrix
    /// b_mag `[1 × latents]`, gated only.
    package let magnitudeBias: Matrix
    /// r_mag `[1 × latents]`, gated only: the magnitude is ReLU(exp(r_mag) W_enc x + b_mag).
    package let magnitudeScale: Matrix
    /// Thresholds `[1 × latents]`, or `[1 × 1]` where all latents share one; no rows without: θ or its logarithm, as the configuration's
    /// `thresholdForm` says.
    package let threshold: Matrix

    /// Makes weights of zeros.
    package init(_ configuration: DictionaryConfiguration) {
        let shapes = Dictionary(uniqueKeysWithValues: Self.shapes(configuration).map { ($0.name, $0.shape) })
        let m = configuration.latents
        func tensor(_ name: String, width: Int) -> Matrix {
            guard let shape = shapes[name] else { return Matrix(rows: 0, columns: width) }
            return Matrix(rows: shape.count > 1 ? shape[0] : 1, columns: shape[shape.count - 1])
        }
        router = tensor("router", width: configuration.dModel)
        preBias = tensor("pre_bias", width: configuration.inputWidth)
        latentBias = tensor("latent_bias", width: m)
        encoder = tensor("encoder", width: configuration.inputWidth)
        decoder = tensor("decoder", width: configuration.inputWidth)
        gateBias = tensor("gate_bias", width: m)
        magnitudeBias = tensor("mag_bias", width: m)
        magnitudeScale = tensor("r_mag", width: m)
        threshold = tensor("threshold", width: m)
    }

    /// The names of all tensors that a dictionary may have, in the order of `tensors`.
    package static let tensorNames = [
        "router", "pre_bias", "latent_bias", "encoder", "decoder", "gate_bias", "mag_bias", "r_mag", "threshold",
    ]

    /// The names and shapes of a configuration's tensors, in the order of `tensors`, without making any.
    package static func shapes(_ configuration: DictionaryConfiguration) -> [(name: String, shape: [Int])] {
        let (m, width) = (configuration.latents, configuration.inputWidth)
        let isGated = configuration.architecture == .gated
        let all: [([Int], Bool)] = [
            ([configuration.layers.count, configuration.dModel], configuration.routes),
            ([width], configuration.hasPreBias), ([m], !isGated), ([m, width], true), ([m, width], true),
            ([m], isGated), ([m], isGated), ([m], isGated),
            ([configuration.thresholds], configuration.thresholds > 0),
        ]
        return zip(tensorNames, all).filter(\.1.1).map { ($0, $1.0) }
    }

    /// One tensor by its name.
    package struct Tensor {
        /// The name in catalogs and checkpoints.
        package let name: String
        /// The values; vectors are matrices of one row.
        package let matrix: Matrix
        /// Whether it is a vector.
        package let isVector: Bool
    }

    /// The dictionary's tensors, in a fixed order.
    package var tensors: [Tensor] {
        let all: [(Matrix, Bool)] = [
            (router, false), (preBias, true), (latentBias, true), (encoder, false), (decoder, false), (gateBias, true),
            (magnitudeBias, true), (magnitudeScale, true), (threshold, true),
        ]
        return zip(Self.tensorNames, all).filter { $1.0.rows > 0 }.map {
            Tensor(name: $0, matrix: $1.0, isVector: $1.1)
        }
    }
}
