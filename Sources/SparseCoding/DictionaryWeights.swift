public import LinearAlgebra

/// The weights of one dictionary. Updated in place while training.
///
/// D is the configuration's `inputWidth`. What an architecture does not have has no rows.
public final class DictionaryWeights: Sendable {
    /// W_r `[layers × d]`: the router, no bias.
    public let router: Matrix
    /// b_pre `[1 × D]`: added after decoding, and for most architectures subtracted before encoding.
    public let preBias: Matrix
    /// b_lat `[1 × latents]`: added to the pre-activations. A gated dictionary has two others in its place.
    public let latentBias: Matrix
    /// W_enc `[latents × D]`: row j is latent j's encoder direction.
    public let encoder: Matrix
    /// W_decᵀ `[latents × D]`: row j is latent j's decoder direction. Weight files hold the transpose `[D × latents]`;
    /// here one feature's direction lies in one piece.
    public let decoder: Matrix
    /// b_gate `[1 × latents]`, gated only: the gate is open where W_enc x + b_gate > 0.
    public let gateBias: Matrix
    /// b_mag `[1 × latents]`, gated only.
    public let magnitudeBias: Matrix
    /// r_mag `[1 × latents]`, gated only: the magnitude is ReLU(exp(r_mag) W_enc x + b_mag).
    public let magnitudeScale: Matrix
    /// JumpReLU only `[1 × latents]`: log θ in the corrected mode, θ in the reference's.
    public let threshold: Matrix

    /// Makes weights of zeros.
    public init(_ configuration: DictionaryConfiguration) {
        let (m, width) = (configuration.latents, configuration.inputWidth)
        let isGated = configuration.architecture == .gated
        func vector(_ exists: Bool) -> Matrix { Matrix(rows: exists ? 1 : 0, columns: m) }
        router = Matrix(rows: configuration.routes ? configuration.layers.count : 0, columns: configuration.dModel)
        preBias = Matrix(rows: configuration.hasPreBias ? 1 : 0, columns: width)
        latentBias = vector(!isGated)
        encoder = Matrix(rows: m, columns: width)
        decoder = Matrix(rows: m, columns: width)
        gateBias = vector(isGated)
        magnitudeBias = vector(isGated)
        magnitudeScale = vector(isGated)
        threshold = vector(configuration.architecture == .jumprelu)
    }

    /// One tensor by its name.
    public struct Tensor {
        /// The name in catalogs and checkpoints.
        public let name: String
        /// The values; vectors are matrices of one row.
        public let matrix: Matrix
        /// Whether it is a vector.
        public let isVector: Bool
    }

    /// The tensors there are, in a fixed order.
    public var tensors: [Tensor] {
        let all: [(String, Matrix, Bool)] = [
            ("router", router, false), ("pre_bias", preBias, true), ("latent_bias", latentBias, true),
            ("encoder", encoder, false), ("decoder", decoder, false), ("gate_bias", gateBias, true),
            ("mag_bias", magnitudeBias, true), ("r_mag", magnitudeScale, true), ("threshold", threshold, true),
        ]
        return all.filter { $0.1.rows > 0 }.map { Tensor(name: $0.0, matrix: $0.1, isVector: $0.2) }
    }
}
