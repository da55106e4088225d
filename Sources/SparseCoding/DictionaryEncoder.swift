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
    /// The encoder's weights packed: rounded, where its product is of bf16.
    let packed: PackedMatrix?

    /// What the encoder's product takes; everything else is f32.
    package var precision: Precision { packed?.isHalved == true ? .bf16 : .f32 }

    /// Samples of one encode tile: with it a tile's pre-activations stay in the outer caches, and the product still runs
    /// at nearly full speed.
    package static let tile = 128

    /// The most weights that are packed in f32: of larger encoders the copy would take too much memory.
    package static let mostPacked = 1 << 26

    /// Makes an encoder over existing weights.
    ///
    /// - Parameters:
    ///   - precision: of the encoder's product. In bf16, `packWeights()` follows every change of the weights.
    ///   - packs: whether the weights are packed in f32 too, for the products of many tiles, if they are no more than
    ///     `mostPacked`; likewise.
    package init(
        configuration: DictionaryConfiguration, weights: DictionaryWeights, workers: Workers,
        precision: Precision = .f32, packs: Bool = false
    ) {
        self.configuration = configuration
        self.weights = weights
        self.workers = workers
        packed =
            precision == .bf16 || packs && weights.encoder.count <= Self.mostPacked
            ? PackedMatrix(
                weights.encoder.pointer, rows: weights.encoder.rows, columns: weights.encoder.columns,
                halved: precision == .bf16, workers: workers) : nil
    }

    /// Makes an encoder of another configuration over the weights of one, as they are packed there.
    package init(configuration: DictionaryConfiguration, sharing other: DictionaryEncoder) {
        self.configuration = configuration
        weights = other.weights
        workers = other.workers
        packed = other.packed
    }

    /// Packs the encoder's weights anew, where they are packed.
    package func packWeights() { packed?.update(from: weights.encoder.pointer, workers: workers) }

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
