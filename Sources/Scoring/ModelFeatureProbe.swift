package import ActivationPipeline
import FeatureScoring
import Indexing
import LanguageModel
package import LinearAlgebra
import SparseCoding
import Tokenization

/// Computes a feature's activation at the end of a piece of text, by running it through the model and the
/// dictionary: the same encode path as training and indexing.
package struct ModelFeatureProbe: ActivationProbe {
    let folder: ModelFolder
    let dictionary: StoredDictionary
    let workers: Workers
    /// Asked before every call; once true, the call throws.
    let cancelled: () -> Bool

    /// Makes a probe.
    package init(
        folder: ModelFolder, dictionary: StoredDictionary, workers: Workers,
        cancelled: @escaping () -> Bool = { false }
    ) {
        self.folder = folder
        self.dictionary = dictionary
        self.workers = workers
        self.cancelled = cancelled
    }

    /// Requests that share their tokens run once; only the last token of each is encoded.
    func activations(of requests: [ProbeRequest]) throws -> [Float] {
        guard !requests.isEmpty else { return [] }
        if cancelled() { throw WorkflowError.interrupted("scoring was stopped; no scores were written") }
        let prefix = folder.tokenizer.addsBOS ? folder.tokenizer.bosTokenID.map { [$0] } ?? [] : []
        let configuration = dictionary.configuration
        var rowOfText: [Text: Int] = [:]
        var sequences: [[TokenID]] = []
        var keys: [UInt64] = []
        let encoder = DictionaryEncoder(
            configuration: configuration, weights: dictionary.weights, workers: workers,
            precision: folder.model.precision)
        let rows = requests.map { request in
            let text = Text(tokens: request.tokens, layer: request.layer)
            if let row = rowOfText[text] { return row }
            rowOfText[text] = sequences.count
            sequences.append(prefix + request.tokens)
            keys.append(Self.drawKey(naming: request.layer, encoder))
            return sequences.count - 1
        }

        let streams = try folder.model.residualStreams(
            of: TokenBatch(sequences: sequences), layers: configuration.layers)
        let batch = ActivationBatch(
            capacity: sequences.count, layers: configuration.layers, dModel: configuration.dModel)
        var end = 0
        for (row, sequence) in sequences.enumerated() {
            end += sequence.count
            batch.values.row(row).update(from: streams.values.row(end - 1), count: batch.values.columns)
            batch.drawKeys[row] = keys[row]
        }
        batch.count = sequences.count
        let routed = AutoencoderInput(capacity: batch.count, configuration: configuration)
        try encoder.read(batch, into: routed)
        let latents = SparseLatents(capacity: batch.count, configuration: configuration)
        encoder.encode(routed, count: batch.count * configuration.samplesPerToken, into: latents)
        let firings = TokenLatents(latents, routed, count: batch.count, configuration)
        return zip(requests, rows).map { firings.activation(of: $0.featureIndex, at: $1) }
    }

    /// A text that is run once: the tokens, and the layer if they do not determine it.
    private struct Text: Hashable {
        let tokens: [TokenID]
        let layer: Int?
    }

    /// A draw key for which a `random` dictionary reads the given layer: a shortened text has no position in
    /// a corpus, so it is read from the layer of the whole text.
    private static func drawKey(naming layer: Int?, _ encoder: DictionaryEncoder) -> UInt64 {
        guard let place = layer.flatMap({ encoder.configuration.layers.firstIndex(of: $0) }) else { return 0 }
        var key: UInt64 = 0
        while encoder.drawnLayer(key) != place { key += 1 }
        return key
    }
}
