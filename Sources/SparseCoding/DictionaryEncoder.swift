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
    /// The encoder's weights rounded, where its product is of bf16.
    let rounded: PackedMatrix?

    /// What the encoder's product takes; everything else is f32.
    package var precision: Precision { rounded == nil ? .f32 : .bf16 }

    /// Samples of one encode tile: with it a tile's pre-activations stay in the outer caches, and the product still runs
    /// at nearly full speed.
    package static let tile = 256

    /// Makes an encoder over existing weights.
    ///
    /// - Parameter precision: of the encoder's product. In bf16, `roundWeights()` follows every change of the weights.
    package init(
        configuration: DictionaryConfiguration, weights: DictionaryWeights, workers: Workers,
        precision: Precision = .f32
    ) {
        self.configuration = configuration
        self.weights = weights
        self.workers = workers
        rounded =
            precision == .bf16
            ? PackedMatrix(
                weights.encoder.pointer, rows: weights.encoder.rows, columns: weights.encoder.columns, halved: true,
                workers: workers) : nil
    }

    /// Makes an encoder of another configuration over the weights of one, as they are rounded there.
    package init(configuration: DictionaryConfiguration, sharing other: DictionaryEncoder) {
        self.configuration = configuration
        weights = other.weights
        workers = other.workers
        rounded = other.rounded
    }

    /// Rounds the encoder's weights anew, where its product is of bf16.
    package func roundWeights() { rounded?.update(from: weights.encoder.pointer, workers: workers) }

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
