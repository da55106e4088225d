import ActivationPipeline
package import FeatureCatalog
import FeatureScoring
import Foundation
import Indexing
import JSON
package import LinearAlgebra
import SparseCoding
import Tokenization
import Vocabulary

/// Explains features by the shortest token patterns that activate them, and scores them on held-out contexts.
///
/// Explanations come from Neuron to Graph with the model in the loop, or from observed n-grams without a
/// model. The score is the correlation of simulated and true activations; the baseline is the same with another
/// feature's explanation.
package struct ScoringRun {
    /// The settings.
    package let settings: ScoringSettings
    /// Workers that run it.
    package let workers: Workers

    /// How the judge's endpoint is reached.
    package let connection: JudgeConnection

    /// The recorded scores of a run being reproduced without an endpoint; nil for a new run.
    let recorded: [ScoreRecord]?

    /// Describes a run.
    package init(settings: ScoringSettings, workers: Workers, connection: JudgeConnection = JudgeConnection()) {
        self.settings = settings
        self.workers = workers
        self.connection = connection
        recorded = nil
    }

    /// Reproduces a run: a judge's answers come from the archive, and an answer missing there
    /// gives the recorded failure.
    package init(settings: ScoringSettings, workers: Workers, repeating recorded: [ScoreRecord]) {
        self.settings = settings
        self.workers = workers
        connection = JudgeConnection(maximumRequests: 0)
        self.recorded = recorded
    }

    /// The result of scoring.
    package struct Result: Sendable {
        /// The run's number in the catalog.
        package let runID: Int64
        /// The dictionary's number in the catalog.
        package let dictionaryID: Int64
        /// The features scored, ascending.
        package let features: [Int]
        /// Their scores, nil where undefined.
        package let scores: [Double?]
        /// The baseline scores, with another feature's explanation, nil where undefined.
        package let chance: [Double?]
        /// All scores written: without a judge one simulation score a feature.
        package let records: [ScoreRecord]
        /// The wrapping of a judge's answers; nil without a judge.
        package var wrapping: AnswerWrapping?
    }

    /// Explains and scores the features.
    ///
    /// - Parameters:
    ///   - progress: told how much of how much is done.
    ///   - cancelled: asked before every call of the model; once true, the run ends as interrupted.
    /// - Throws: `WorkflowError`, `CatalogError`, `ScoringError`, `LanguageModelError`. A failed run writes no scores.
    package func run(
        on catalog: Catalog, progress: @escaping (_ done: Int, _ total: Int) -> Void = { _, _ in },
        cancelled: @escaping @Sendable () -> Bool = { false }
    ) throws -> Result {
        if settings.precision != nil, settings.model == nil {
            throw WorkflowError.usage("`precision` is that of the language model; name its folder with `model`")
        }
        if settings.judge != nil { return try judge(on: catalog, progress: progress, cancelled: cancelled) }
        let dictionary = try StoredDictionary(named: settings.dictionary, in: catalog)
        let indexing = try IndexedDictionary(dictionary.record, corpus: settings.corpus, in: catalog).indexing
        let folder = try settings.model.map {
            try ModelFolder(path: $0, workers: workers, precision: settings.precision)
        }
        try folder.map { try dictionary.check($0, in: catalog) }
        try Allowed.upTo(1024).check(settings.maximumSuffix, of: "maximumSuffix")

        let configuration = try NeuronToGraphConfiguration(maximumSuffix: settings.maximumSuffix)
        let chosen = try FeatureChoice(settings: settings).features(of: indexing.key, in: catalog)
        return try catalog.withRun(
            .score, settings: settings, seed: settings.seed, inputs: try folder?.inputs() ?? [], cancelled: cancelled
        ) { run in
            let hasPrefix = folder.map { $0.tokenizer.addsBOS && $0.tokenizer.bosTokenID != nil } ?? true
            let reader = ScoringContextReader(
                catalog: catalog, indexing: indexing,
                drawsLayers: dictionary.configuration.architecture == .random, context: folder?.defaultContext,
                prefix: hasPrefix ? 1 : 0)
            let features = try chosen.map { try reader.contexts(of: $0) }
            let graphs: [NeuronGraph]
            if let folder {
                let pad = folder.paddingToken
                graphs = try NeuronToGraphExplainer(configuration: configuration).explain(
                    features: features,
                    probe: ModelFeatureProbe(
                        folder: folder, dictionary: dictionary, workers: workers, cancelled: cancelled),
                    padToken: pad, progress: progress)
            } else {
                graphs = features.map { feature in
                    NeuronGraph(
                        observing: feature.contexts.filter { $0.split == .explain }, configuration: configuration)
                }
            }

            return try write(features, graphs, folder, catalog, dictionary.record, indexing.key, run.runID)
        }
    }

    private func write(
        _ features: [FeatureContexts], _ graphs: [NeuronGraph], _ folder: ModelFolder?, _ catalog: Catalog,
        _ dictionary: DictionaryRecord, _ key: IndexingKey, _ runID: Int64
    ) throws -> Result {
        let text = try TokenTexts(folder: folder, catalog: catalog, dictionary: dictionary)
        let donors = ChanceBaseline.donors(featureCount: features.count, seed: settings.seed)
        let method = folder == nil ? "observed-ngram" : "n2g"
        var scores: [Double?] = []
        var chance: [Double?] = []
        var explanations: [ExplanationRecord] = []
        var results: [(own: SimulationScore, other: SimulationScore?)] = []
        for place in features.indices {
            let held = features[place].contexts.filter { $0.split == .score }
            let maximum = features[place].contexts.map { $0.activations.max() ?? 0 }.max() ?? 0
            let own = try SimulationScore(of: graphs[place].simulate(held), maximum: maximum)
            let other = try donors.map {
                try SimulationScore(of: graphs[$0[place]].simulate(held), maximum: maximum)
            }
            results.append((own, other))
            scores.append(own.value)
            chance.append(other?.value)
            explanations.append(
                ExplanationRecord(
                    runID: runID, dictionaryID: key.dictionaryID, featureIndex: features[place].featureIndex,
                    corpusID: key.corpusID, method: method, text: graphs[place].summary(tokenText: text.of),
                    detailJSON: try graphs[place].json()))
        }

        var records: [ScoreRecord] = []
        try catalog.write(explanations: explanations) { ids in
            records = try zip(ids, zip(features, results)).map { id, scored in
                try record(scored.1, of: scored.0, explanation: id, key, runID)
            }
            return records
        }
        return Result(
            runID: runID, dictionaryID: dictionary.dictionaryID, features: features.map(\.featureIndex), scores: scores,
            chance: chance, records: records)
    }

    private func record(
        _ result: (own: SimulationScore, other: SimulationScore?), of feature: FeatureContexts, explanation: Int64,
        _ key: IndexingKey, _ runID: Int64
    ) throws -> ScoreRecord {
        let own = result.own
        let (status, reason): (ScoreRecord.Status, String?) =
            switch own.status {
            case .ok: (.ok, nil)
            case .undefined(let why): (.undefined, "\(why)")
            }
        let metrics = [
            "top_correlation": own.top.value, "random_correlation": own.random.value, "r_squared": own.rSquared,
            "precision": own.precision, "recall": own.recall, "f1": own.f1,
        ].compactMapValues { $0 }
        return ScoreRecord(
            runID: runID, dictionaryID: key.dictionaryID, featureIndex: feature.featureIndex, corpusID: key.corpusID,
            explanationID: explanation, method: .simulation, status: status, value: own.value,
            baselineValue: result.other?.value, reason: reason,
            contextCount: own.contextCount, tokenCount: own.tokenCount, metricsJSON: try canonicalJSON(metrics))
    }
}
