import ActivationPipeline
package import FeatureCatalog
import FeatureScoring
import Indexing
package import LinearAlgebra
package import Scoring
import SparseCoding
import Tokenization
import Vocabulary

/// Measures offline explaining and scoring: batched requests to the model against one run of the model
/// per shortened context.
package struct ScoringBenchmark: Sendable {
    /// The dictionary, the model and the sample.
    package var settings: ScoringSettings

    /// Describes a benchmark.
    package init(settings: ScoringSettings) {
        self.settings = settings
    }

    /// The measurements.
    package struct Result: Sendable, Encodable {
        /// Features explained and scored.
        package let features: Int
        /// Seconds of reading contexts, explaining, simulating and scoring, as `score` does.
        package let seconds: Double
        /// Features in a second.
        package let featuresPerSecond: Double
        /// Seconds of explaining alone.
        package let explainSeconds: Double
        /// Shortened contexts that the model was asked about.
        package let requests: Int
        /// Seconds of the same requests one by one.
        package let separateSeconds: Double
        /// The last over explaining.
        package let ratio: Double
    }

    /// Counts requests and passes them on, all at once or one by one.
    private final class CountingProbe: ActivationProbe {
        let probe: ModelFeatureProbe
        let isSeparate: Bool
        private(set) var count = 0

        init(_ probe: ModelFeatureProbe, isSeparate: Bool) {
            self.probe = probe
            self.isSeparate = isSeparate
        }

        func activations(of requests: [ProbeRequest]) throws -> [Float] {
            count += requests.count
            guard isSeparate else { return try probe.activations(of: requests) }
            return try requests.map { try probe.activations(of: [$0])[0] }
        }
    }

    /// Times explaining and scoring.
    ///
    /// - Throws: as `ScoringRun.run`.
    package func run(on catalog: Catalog, workers: Workers) throws -> Result {
        guard let model = settings.model else { throw WorkflowError.usage("`model` names the model to ask") }
        let dictionary = try StoredDictionary(named: settings.dictionary, in: catalog)
        let indexing = try IndexedDictionary(dictionary.record, corpus: settings.corpus, in: catalog).indexing
        let folder = try ModelFolder(path: model, workers: workers)
        try dictionary.check(folder, in: catalog)
        let chosen = try FeatureChoice(settings: settings).features(of: indexing.key, in: catalog)
        let hasPrefix = folder.tokenizer.addsBOS && folder.tokenizer.bosTokenID != nil
        let pad = folder.paddingToken
        let configuration = try NeuronToGraphConfiguration(maximumSuffix: settings.maximumSuffix)
        let probe = ModelFeatureProbe(folder: folder, dictionary: dictionary, workers: workers)
        let clock = ContinuousClock()

        func contexts() throws -> [FeatureContexts] {
            let reader = ScoringContextReader(
                catalog: catalog, indexing: indexing,
                drawsLayers: dictionary.configuration.architecture == .random, context: folder.defaultContext,
                prefix: hasPrefix ? 1 : 0)
            return try chosen.map { try reader.contexts(of: $0) }
        }

        func explain(_ features: [FeatureContexts], by probe: CountingProbe) throws -> [NeuronGraph] {
            try NeuronToGraphExplainer(configuration: configuration).explain(
                features: features, probe: probe, padToken: pad)
        }
        // The first time warms caches and pages up, and does not count.
        let features = try contexts()
        _ = try explain(features, by: CountingProbe(probe, isSeparate: false))

        let together = CountingProbe(probe, isSeparate: false)
        var explaining = Duration.zero
        let whole = try clock.measure {
            let features = try contexts()
            var graphs: [NeuronGraph] = []
            explaining = try clock.measure { graphs = try explain(features, by: together) }
            let donors = ChanceBaseline.donors(featureCount: features.count, seed: settings.seed)
            for place in features.indices {
                let held = features[place].contexts.filter { $0.split == .score }
                let maximum = features[place].contexts.map { $0.activations.max() ?? 0 }.max() ?? 0
                _ = try SimulationScore(of: graphs[place].simulate(held), maximum: maximum)
                if let donors { _ = try SimulationScore(of: graphs[donors[place]].simulate(held), maximum: maximum) }
            }
        }

        let separate = try clock.measure { _ = try explain(features, by: CountingProbe(probe, isSeparate: true)) }
        return Result(
            features: chosen.count, seconds: whole / .seconds(1),
            featuresPerSecond: Double(chosen.count) / (whole / .seconds(1)), explainSeconds: explaining / .seconds(1),
            requests: together.count, separateSeconds: separate / .seconds(1), ratio: separate / explaining)
    }
}
