import FeatureCatalog
import LanguageModel
package import LinearAlgebra
package import SparseCoding
package import Tokenization

/// Runs text through a model and a dictionary. Indexing, `features --fires-on` and verification all use it to compute
/// the latents of real tokens.
package final class TextReader {
    /// The latents of some segments; a row is a token, BOS excluded.
    package struct Reading {
        package let batch: ActivationBatch
        package let routed: AutoencoderInput
        /// Latents by sample.
        package let latents: SparseLatents
        /// Latents by token.
        package let firings: TokenLatents
        /// The rows of each segment.
        package let rows: [Range<Int>]

        /// The number of tokens.
        package var count: Int { batch.count }

        /// A feature's activation at a token; 0 where it does not fire.
        package func activation(of feature: Int, at row: Int) -> Float { firings.activation(of: feature, at: row) }
    }

    package let dictionary: StoredDictionary
    package let folder: ModelFolder
    let workers: Workers
    package let encoder: DictionaryEncoder

    /// Reads texts with a dictionary.
    ///
    /// - Parameter isLong: whether there is so much text that packing the encoder for it is worth the time and memory.
    package init(dictionary: StoredDictionary, folder: ModelFolder, workers: Workers, isLong: Bool = false) {
        self.dictionary = dictionary
        self.folder = folder
        self.workers = workers
        encoder = DictionaryEncoder(
            configuration: dictionary.configuration, weights: dictionary.weights, workers: workers,
            precision: folder.model.precision, packs: isLong)
    }

    /// Reads segments in one run of the model.
    ///
    /// - Parameter eachTile: called by the workers for every tile of samples as soon as they are encoded.
    package func read(
        _ segments: [TokenSegment],
        eachTile: (
            (_ samples: Range<Int>, _ routed: AutoencoderInput, _ latents: SparseLatents, _ worker: Int) -> Void
        )? = nil
    ) throws -> Reading {
        let configuration = dictionary.configuration
        let layers = configuration.layers
        let streams = try folder.model.residualStreams(
            of: TokenBatch(sequences: segments.map(\.tokens)), layers: layers)
        let count = segments.reduce(0) { $0 + $1.tokens.count - $1.prefix }
        let batch = ActivationBatch(capacity: count, layers: layers, dModel: configuration.dModel)
        var rows: [Range<Int>] = []
        var source = 0
        for segment in segments {
            let first = batch.count
            source += segment.prefix
            for (place, token) in segment.tokens.dropFirst(segment.prefix).enumerated() {
                batch.values.row(batch.count).update(from: streams.values.row(source), count: batch.values.columns)
                batch.tokenIDs[batch.count] = token
                batch.drawKeys[batch.count] = ActivationBatch.drawKey(
                    document: segment.document, position: segment.start + place)
                batch.count += 1
                source += 1
            }
            rows.append(first..<batch.count)
        }

        let routed = AutoencoderInput(capacity: count, configuration: configuration)
        try encoder.read(batch, into: routed)
        let latents = SparseLatents(capacity: count, configuration: configuration)
        encoder.encode(routed, count: count * configuration.samplesPerToken, into: latents) { samples, worker in
            eachTile?(samples, routed, latents, worker)
        }
        return Reading(
            batch: batch, routed: routed, latents: latents,
            firings: TokenLatents(latents, routed, count: count, configuration), rows: rows)
    }

    /// The tokens put in front of each segment.
    package var prefix: [TokenID] {
        folder.tokenizer.addsBOS ? folder.tokenizer.bosTokenID.map { [$0] } ?? [] : []
    }
}
