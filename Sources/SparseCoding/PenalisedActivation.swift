import CKernels
import Glibc
package import LinearAlgebra
import Vocabulary

/// The activation function of a dictionary with a sparsity penalty, prepared for many samples:
/// - `vanilla` and `crosscoder`: z = ReLU(π + b_lat);
/// - `gated` (arXiv 2404.16014, eq. 6 and 7): z = ReLU(exp(r_mag) π + b_mag) where π + b_gate > 0, else 0;
/// - with thresholds, `jumprelu` (arXiv 2407.14435, eq. 3): z = a where a = π + b_lat > θ, else 0; in the corrected mode also 0 where
///   a < 0, which only thresholds below zero can bring about.
///
/// π is the encoder's product without any bias.
package struct PenalisedActivation: Sendable {
    private let architecture: Architecture
    private let hasThresholds: Bool
    private let weights: DictionaryWeights
    /// exp(r_mag) `[1 × latents]`, gated only.
    package let magnitude: Matrix
    /// θ `[1 × latents]`, only with thresholds; in the corrected mode one below 0 is 0.
    package let threshold: Matrix

    /// Prepares the current weights.
    package init(_ configuration: DictionaryConfiguration, _ weights: DictionaryWeights) {
        architecture = configuration.architecture
        hasThresholds = configuration.thresholds > 0
        self.weights = weights
        magnitude = weights.magnitudeScale.copy()
        for latent in 0..<magnitude.count { magnitude.pointer[latent] = expf(magnitude.pointer[latent]) }
        guard hasThresholds else {
            threshold = weights.threshold.copy()
            return
        }
        threshold = Matrix(rows: 1, columns: configuration.latents)
        for latent in 0..<threshold.count {
            let stored = weights.threshold.pointer[configuration.thresholdForm == .shared ? 0 : latent]
            let theta = configuration.thresholdForm == .logarithm ? expf(stored) : stored
            threshold.pointer[latent] = configuration.rectified ? max(theta, 0) : theta
        }
    }

    /// What it reads of every latent.
    package var vectors: ActivationVectors {
        switch architecture {
        case .gated:
            ActivationVectors(
                bias: weights.gateBias.pointer, scale: magnitude.pointer, offset: weights.magnitudeBias.pointer)
        case _ where hasThresholds:
            ActivationVectors(bias: weights.latentBias.pointer, scale: threshold.pointer, offset: nil)
        default: ActivationVectors(bias: weights.latentBias.pointer, scale: nil, offset: nil)
        }
    }

    /// The activations z `[latents]` of one sample.
    package func apply(to product: UnsafePointer<Float>, into z: UnsafeMutablePointer<Float>) {
        apply(vectors, to: product, count: weights.encoder.rows, into: z)
    }

    /// The activations of the latents that the vectors are of.
    ///
    /// - Parameter product: π of these latents.
    package func apply(
        _ vectors: ActivationVectors, to product: UnsafePointer<Float>, count: Int,
        into z: UnsafeMutablePointer<Float>
    ) {
        switch (vectors.scale, vectors.offset) {
        case (let scale?, let offset?): rsae_gated(product, vectors.bias, scale, offset, Int64(count), z)
        case (let threshold?, nil): rsae_jump_relu(product, vectors.bias, threshold, Int64(count), z)
        case (nil, _): rsae_relu(product, vectors.bias, Int64(count), z)
        }
    }
}
