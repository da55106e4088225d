import ActivationPipeline
import FeatureCatalog
import LinearAlgebra
import SparseCoding
import Vocabulary

/// A dictionary whose latents are measured on a text.
final class MeasuredDictionary {
    let record: DictionaryRecord
    let configuration: DictionaryConfiguration
    /// Its latents on all tokens so far.
    let rows: LatentRows
    private let encoder: DictionaryEncoder
    /// How much of the layers it covers; nil if that is not asked.
    var coverage: Coverage?

    init(_ record: DictionaryRecord, in catalog: Catalog, workers: Workers, precision: Precision) throws {
        let stored = try StoredDictionary(record, in: catalog)
        self.record = record
        configuration = stored.configuration
        rows = LatentRows(latents: stored.configuration.latents)
        encoder = DictionaryEncoder(
            configuration: stored.configuration, weights: stored.weights, workers: workers, precision: precision)
    }

    /// Decoder rows `[latents × width]`.
    var decoder: Matrix { encoder.weights.decoder }

    /// Where the decoder's part for a layer begins in its rows; nil where it has none.
    func column(of layer: Int) -> Int? {
        guard configuration.architecture == .crosscoder else { return 0 }
        return configuration.layers.firstIndex(of: layer).map { $0 * configuration.dModel }
    }

    /// Appends the latents of a batch of real tokens.
    ///
    /// - Throws: `SparseCodingError`.
    func append(_ batch: ActivationBatch) throws {
        let input = AutoencoderInput(capacity: batch.count, configuration: configuration)
        try encoder.read(batch, into: input)
        let latents = SparseLatents(capacity: batch.count, configuration: configuration)
        encoder.encode(input, count: batch.count * configuration.samplesPerToken, into: latents)
        let firings = TokenLatents(latents, input, count: batch.count, configuration)
        for row in 0..<batch.count { rows.append(row, of: firings) }
    }
}
