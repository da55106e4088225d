import LinearAlgebra
import SparseCoding

/// Seeded activations with a mean and a scale of their own at each layer, as residual streams have.
func randomBatch(count: Int, layers: [Int], dModel: Int, seed: UInt64) -> ActivationBatch {
    let batch = ActivationBatch(capacity: count, layers: layers, dModel: dModel)
    var generator = CounterGenerator(seed: seed, stream: "batch")
    for token in 0..<count {
        for layer in layers.indices {
            let scale = 0.5 + 3 * generator.uniform()
            let offset = generator.uniform() - 0.5
            for column in 0..<dModel {
                batch.values[token, layer * dModel + column] = scale * (2 * generator.uniform() - 1) + offset
            }
        }
    }
    batch.count = count
    return batch
}

/// Seeded weights with nothing zero and no direction of unit norm, so that every term shows.
func randomWeights(_ configuration: DictionaryConfiguration, seed: UInt64) -> DictionaryWeights {
    let weights = DictionaryWeights(configuration, seed: seed)
    var generator = CounterGenerator(seed: seed, stream: "more")
    for matrix in [weights.preBias, weights.latentBias] {
        for index in 0..<matrix.count { matrix.pointer[index] = 0.4 * generator.uniform() - 0.2 }
    }
    // Larger than at the start of training, so that tokens take different layers decidedly.
    for index in 0..<weights.router.count { weights.router.pointer[index] *= 3 }
    return weights
}

extension DictionaryWeights {
    /// The bits of everything.
    var bits: [[UInt32]] { tensors.map { $0.matrix.elements.map(\.bitPattern) } }
}
