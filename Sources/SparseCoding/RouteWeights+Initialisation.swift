import CKernels
public import LinearAlgebra

extension RouteWeights {
    /// Seeded initial weights: W_enc and W_r uniform in ±1/√d (PyTorch's default for `Linear`), W_dec the transpose of
    /// W_enc with unit-norm columns, biases zero (method of the authors' `src/model.py`).
    public convenience init(_ configuration: RouteConfiguration, seed: UInt64) {
        self.init(configuration)
        let bound = 1 / Float(configuration.dModel).squareRoot()
        var generator = CounterGenerator(seed: seed, stream: "router")
        for index in 0..<router.count { router.pointer[index] = (2 * generator.uniform() - 1) * bound }
        generator = CounterGenerator(seed: seed, stream: "encoder")
        for index in 0..<encoder.count { encoder.pointer[index] = (2 * generator.uniform() - 1) * bound }
        decoder.update(from: encoder)
        normaliseDecoder(by: Workers(threads: 1))
    }

    /// Scales every latent's decoder direction to unit norm; a direction of norm zero stays as it is.
    public func normaliseDecoder(by workers: Workers) {
        let decoder = self.decoder
        workers.forEach(decoder.rows, tile: 256) { range, _ in
            for latent in range {
                let row = decoder.row(latent)
                let norm = rsae_dot(row, row, Int64(decoder.columns)).squareRoot()
                guard norm > 0 else { continue }
                for column in 0..<decoder.columns { row[column] /= norm }
            }
        }
    }
}
