import CKernels
import Glibc
package import LinearAlgebra
import Vocabulary

extension DictionaryWeights {
    /// Seeded initial weights: W_r and W_enc uniform in ±1/√d (PyTorch's default for `Linear`), W_dec the transpose of
    /// W_enc with unit-norm columns, biases zero (method of the authors' `src/model.py`).
    ///
    /// A corrected crosscoder's W_enc is uniform in ±1/√D instead, so that its pre-activations are no larger than
    /// another's; the authors' has every layer's decoder direction at unit norm.
    ///
    /// - Parameter threshold: JumpReLU's θ at the start.
    package convenience init(_ configuration: DictionaryConfiguration, seed: UInt64, threshold: Float = 0) {
        self.init(configuration)
        fill(router, bound: 1 / Float(configuration.dModel).squareRoot(), seed: seed, stream: "router")
        let width = configuration.fidelity == .corrected ? configuration.inputWidth : configuration.dModel
        fill(encoder, bound: 1 / Float(width).squareRoot(), seed: seed, stream: "encoder")
        decoder.update(from: encoder)
        let parts = configuration.fidelity == .reference ? configuration.parts : 1
        normaliseDecoder(parts: parts, by: Workers(threads: 1))
        if self.threshold.rows > 0 {
            self.threshold.fill(configuration.thresholdForm == .logarithm ? logf(threshold) : threshold)
        }
    }

    private func fill(_ matrix: Matrix, bound: Float, seed: UInt64, stream: String) {
        var generator = CounterGenerator(seed: seed, stream: stream)
        for index in 0..<matrix.count { matrix.pointer[index] = (2 * generator.uniform() - 1) * bound }
    }

    /// Scales every latent's decoder direction to unit norm, as a whole or in several equal parts; zeros
    /// stay as they are.
    package func normaliseDecoder(parts: Int = 1, by workers: Workers) {
        let decoder = self.decoder
        let width = decoder.columns / parts
        workers.forEach(decoder.rows, tile: 256) { range, _ in
            for latent in range {
                for part in 0..<parts {
                    let row = decoder.row(latent) + part * width
                    let norm = rsae_dot(row, row, Int64(width)).squareRoot()
                    // An infinite norm is left for the finiteness check.
                    guard norm > 0, norm.isFinite else { continue }
                    for column in 0..<width { row[column] /= norm }
                }
            }
        }
    }

    /// The Euclidean norms of the decoder directions, by latent.
    package var decoderNorms: [Double] {
        (0..<decoder.rows).map { latent in
            Double(rsae_dot(decoder.row(latent), decoder.row(latent), Int64(decoder.columns))).squareRoot()
        }
    }

    /// Gives every decoder direction unit norm without changing the dictionary's output: the norm moves into the
    /// latent's encoder direction and bias. For dictionaries whose norms were free in training, and those that keep latents
    /// by activation times norm; ReLU and TopK only, whose activations scale with their pre-activations.
    ///
    /// - Parameter silencingZeros: whether a latent whose decoder direction is all zeros never fires any more: its activation
    ///   times its norm is 0. Otherwise it stays as it is, since it has no part in any output.
    package func foldNorms(by workers: Workers, silencingZeros: Bool = false) {
        let (encoder, decoder, bias) = (self.encoder, self.decoder, latentBias)
        workers.forEach(decoder.rows, tile: 256) { range, _ in
            for latent in range {
                let row = decoder.row(latent)
                let norm = rsae_dot(row, row, Int64(decoder.columns)).squareRoot()
                guard norm.isFinite, norm > 0 || silencingZeros else { continue }
                if norm > 0 { for column in 0..<decoder.columns { row[column] /= norm } }
                let inward = encoder.row(latent)
                for column in 0..<encoder.columns { inward[column] *= norm }
                bias.pointer[latent] *= norm
            }
        }
    }
}
