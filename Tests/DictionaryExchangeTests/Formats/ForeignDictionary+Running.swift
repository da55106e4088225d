import DictionaryExchange
import LinearAlgebra
import SparseCoding
import Vocabulary

extension ForeignDictionary {
    /// What a dictionary makes of some tokens of its one layer.
    struct Outcome {
        /// Activations `[tokens × latents]`, row-major, 0 where a latent does not fire.
        let activations: [Float]
        /// Reconstructions of the residual stream `[tokens × d]`, row-major.
        let reconstructions: [Float]
    }

    /// The weights, with norms folded where the selection is by activation times norm, as an import folds them.
    func weights() throws -> DictionaryWeights {
        let weights = DictionaryWeights(configuration)
        let places = weights.tensors
        try requireEqual(places.map(\.name), tensors.map(\.name))
        for (place, tensor) in zip(places, tensors) {
            try requireEqual(
                tensor.shape,
                place.isVector ? [place.matrix.columns] : [place.matrix.rows, place.matrix.columns])
            place.matrix.update(from: try tensor.read())
        }
        if configuration.selection == .activationTimesNorm { weights.foldNorms(by: Workers(threads: 1)) }
        return weights
    }

    /// Encodes and decodes tokens by the one path that all of the program uses.
    ///
    /// - Parameter tokens: the residual stream, row-major `[tokens × d]`.
    func run(on tokens: [Float]) throws -> Outcome {
        let (d, m) = (configuration.dModel, configuration.latents)
        let count = tokens.count / d
        let batch = ActivationBatch(capacity: count, layers: configuration.layers, dModel: d)
        batch.values.update(from: Matrix(rows: count, columns: d, elements: tokens))
        batch.count = count
        let encoder = DictionaryEncoder(
            configuration: configuration, weights: try weights(), workers: Workers(threads: 1))
        let input = AutoencoderInput(capacity: count, configuration: configuration)
        let latents = SparseLatents(capacity: count, configuration: configuration)
        try encoder.read(batch, into: input)
        encoder.encode(input, count: count, into: latents)
        var activations = [Float](repeating: 0, count: count * m)
        var reconstructions: [Float] = []
        let error = Matrix(rows: 1, columns: d)
        for token in 0..<count {
            for slot in 0..<Int(latents.counts[token]) {
                activations[token * m + Int(latents.indices(of: token)[slot])] = latents.activations(of: token)[slot]
            }
            encoder.reconstructionError(of: token, input, latents, into: error.pointer)
            let bias: (Int) -> Float = {
                configuration.subtractsPreBias ? encoder.weights.preBias.pointer[$0] : 0
            }
            for column in 0..<d {
                let normalised = error.pointer[column] + input.centered[token, column] + bias(column)
                reconstructions.append(normalised * input.deviations[token, 0] + input.means[token, 0])
            }
        }
        return Outcome(activations: activations, reconstructions: reconstructions)
    }
}

/// A difference between what a test needs to go on and what it finds.
struct Difference: Error, CustomStringConvertible {
    /// Both values.
    let description: String
}

/// Stops unless two values are equal.
func requireEqual<Value: Equatable>(_ found: Value, _ expected: Value) throws {
    if found != expected { throw Difference(description: "found \(found), expected \(expected)") }
}
