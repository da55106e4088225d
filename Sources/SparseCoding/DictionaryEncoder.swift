package import LinearAlgebra

/// The one encode path: residual streams → the autoencoder's input → active latents. Training, indexing, evaluation and
/// intervention all use it.
///
/// `+Input` chooses and normalises what is read, `+Latents` encodes it.
package struct DictionaryEncoder: Sendable {
    /// The dictionary's architecture, sizes and rules.
    package let configuration: DictionaryConfiguration
    /// Its weights.
    package let weights: DictionaryWeights
    /// Workers that run it.
    package let workers: Workers

    /// Samples of one encode tile: with it a tile's pre-activations stay in the outer caches, and the product still runs
    /// at nearly full speed.
    package static let tile = 256

    /// Makes an encoder over existing weights.
    package init(configuration: DictionaryConfiguration, weights: DictionaryWeights, workers: Workers) {
        self.configuration = configuration
        self.weights = weights
        self.workers = workers
    }

    /// The position of each of the configuration's layers in a batch.
    ///
    /// - Throws: `SparseCodingError.layer` for the first one that the batch lacks, `.setting` for another width.
    package func layerPositions(in batch: ActivationBatch) throws(SparseCodingError) -> [Int] {
        guard batch.dModel == configuration.dModel else {
            throw .setting(
                name: "the width of the activations", found: String(batch.dModel),
                allowed: "\(configuration.dModel), the dictionary's")
        }

        var positions: [Int] = []
        for layer in configuration.layers {
            guard let position = batch.layers.firstIndex(of: layer) else {
                throw .layer(asked: layer, available: batch.layers)
            }
            positions.append(position)
        }
        return positions
    }
}
