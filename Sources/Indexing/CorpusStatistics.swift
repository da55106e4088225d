package import ActivationPipeline
package import LinearAlgebra
package import SparseCoding

/// Statistics collected while a corpus streams through a dictionary: features, layers, and the dictionary's
/// reconstruction error.
package final class CorpusStatistics {
    /// The origin of a batch's tokens.
    package struct Places {
        /// The segments, in order of their rows.
        let segments: [IndexedBatch.Segment]
        /// The class of each row's token.
        let classes: [Int32]

        package init(segments: [IndexedBatch.Segment], classes: [Int32]) {
            self.segments = segments
            self.classes = classes
        }
    }

    private let encoder: DictionaryEncoder
    private let window: Int
    private let workers: Workers
    /// The features, by index.
    let features: FeatureAccumulators
    /// Tokens read from each of the dictionary's layers; an MLSAE reads every token from all.
    private(set) var layerTokens: [Int]
    /// Router weights of each layer, summed over all tokens.
    private(set) var layerWeights: [Double]
    /// Real tokens so far.
    private(set) var tokens = 0
    private var residual = 0.0
    private var variance: VarianceSum

    /// 1 − Σ‖û − u‖² / Σ‖u − mean u‖² over all tokens.
    var explainedVariance: Double { variance.total > 0 ? 1 - residual / variance.total : .nan }

    package init(encoder: DictionaryEncoder, options: IndexingOptions, seed: UInt64, workers: Workers) {
        let configuration = encoder.configuration
        self.encoder = encoder
        window = options.window
        self.workers = workers
        features = FeatureAccumulators(
            (0..<configuration.latents).map {
                FeatureAccumulator(feature: $0, layers: configuration.layers.count, options: options, seed: seed)
            })
        layerTokens = Array(repeating: 0, count: configuration.layers.count)
        layerWeights = Array(repeating: 0, count: configuration.layers.count)
        variance = VarianceSum(dModel: configuration.inputWidth)
    }

    /// Squared reconstruction errors of a batch's samples, each set by the worker that has just encoded
    /// it.
    package final class Errors: @unchecked Sendable {
        fileprivate let values: Matrix
        private let scratch: [Matrix]
        private let encoder: DictionaryEncoder

        /// - Parameter capacity: tokens.
        package init(of statistics: CorpusStatistics, capacity: Int) {
            encoder = statistics.encoder
            values = Matrix(rows: 1, columns: capacity * statistics.encoder.configuration.samplesPerToken)
            scratch = (0..<statistics.workers.count).map { _ in
                Matrix(rows: 1, columns: statistics.encoder.configuration.inputWidth)
            }
        }

        package func measure(_ samples: Range<Int>, _ routed: AutoencoderInput, _ latents: SparseLatents, worker: Int) {
            for sample in samples {
                values.pointer[sample] = encoder.reconstructionError(
                    of: sample, routed, latents, into: scratch[worker].pointer)
            }
        }
    }

    /// Adds an encoded batch.
    package func record(
        _ batch: ActivationBatch, _ routed: AutoencoderInput, _ firings: TokenLatents, _ errors: Errors,
        at places: Places
    ) {
        let count = batch.count
        let samples = count * encoder.configuration.samplesPerToken
        residual = (0..<samples).reduce(residual) { $0 + Double(errors.values.pointer[$1]) }
        variance.add(routed.centered, rows: samples)
        let latents = firings.latents
        let entries = LatentEntries(latents: encoder.configuration.latents)
        entries.fill(from: latents, count: count, by: workers)
        Self.addLayers(of: routed, samples: samples, tokens: &layerTokens, weights: &layerWeights)

        let tokens = Array(batch.tokenIDs[0..<count])
        features.record(
            IndexedBatch(
                tokens: tokens, classes: places.classes, segments: places.segments,
                segmentOfRow: places.segments.enumerated().flatMap { number, segment in
                    Array(repeating: Int32(truncatingIfNeeded: number), count: segment.rows.count)
                },
                windowKeys: IndexedBatch.windowKeys(
                    of: places.segments, tokens: tokens, length: window, workers: workers),
                entries: entries, firings: firings, drawKeys: (0..<count).map { batch.drawKeys[$0] },
                countsPairs: (0..<count).map {
                    latents.counts[$0] <= IndexedBatch.pairedLatents
                        && CofiringCounts.isSampled(key: batch.drawKeys[$0])
                }, windowLength: window,
                layers: !firings.isOfOneLayer
                    ? []
                    : (0..<count).map {
                        let layer = firings.layer(ofSlot: 0, at: $0)
                        return IndexedBatch.ReadLayer(layer: layer, weight: firings.weight(ofLayer: layer, at: $0))
                    }),
            layerNumbers: encoder.configuration.layers, workers: workers)
        self.tokens += count
    }

    /// Adds each sample's layer and its weights of all layers, in the order of the samples.
    private static func addLayers(
        of routed: AutoencoderInput, samples: Int, tokens: inout [Int], weights: inout [Double]
    ) {
        for sample in 0..<samples {
            tokens[Int(routed.selected[sample])] += 1
            let row = routed.probabilities.row(sample)
            for layer in weights.indices { weights[layer] += Double(row[layer]) }
        }
    }
}
