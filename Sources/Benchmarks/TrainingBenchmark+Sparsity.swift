import Glibc
import LinearAlgebra
import SparseCoding
import Vocabulary

extension TrainingBenchmark {
    /// Weights in the state that training begins with, or with biases and thresholds such that `l0` latents fire.
    func initialWeights(
        _ configuration: DictionaryConfiguration, on batch: ActivationBatch, workers: Workers
    ) throws -> DictionaryWeights {
        let weights = DictionaryWeights(configuration, seed: 0, threshold: 0.05)
        // What never fires: as many as are to be dead, all over the dictionary.
        let dead = Int(deadShare * Double(latents))
        for index in 0..<dead where weights.latentBias.rows > 0 {
            weights.latentBias.pointer[index * latents / max(dead, 1)] = -1e4
        }
        guard let l0 else { return weights }
        guard k == nil, deadShare == 0, l0 > 0, l0 < Double(latents) else {
            throw SparseCodingError.setting(
                name: "`l0`", found: "\(l0)",
                allowed: "0 … \(latents) without `k` and `deadShare`, since it sets the biases")
        }

        let bound = try activation(exceededBy: l0, configuration, weights, on: batch, workers: workers)
        if configuration.architecture == .jumprelu {
            weights.threshold.fill(logf(max(bound, .leastNormalMagnitude)))
        } else {
            weights.latentBias.fill(-bound)
            weights.gateBias.fill(-bound)
        }
        return weights
    }

    /// The number that as many products of a sample with the encoder exceed, on the mean over some samples.
    private func activation(
        exceededBy l0: Double, _ configuration: DictionaryConfiguration, _ weights: DictionaryWeights,
        on batch: ActivationBatch, workers: Workers
    ) throws -> Float {
        let encoder = DictionaryEncoder(configuration: configuration, weights: weights, workers: workers)
        let input = AutoencoderInput(capacity: batch.count, configuration: configuration)
        try encoder.read(batch, into: input)
        let samples = min(256, batch.count)
        let products = Matrix(scratchRows: samples, columns: latents)
        encoder.encoderProduct(input, 0..<samples, into: products, by: workers)
        return products.elements.sorted(by: >)[Int(l0 * Double(samples))]
    }
}
