import ActivationPipeline
package import FeatureCatalog
import Foundation
import JSON
import LanguageModel
package import LinearAlgebra
import SparseCoding

/// Measures how well dictionaries reconstruct what they read, and how the model changes when reconstructions replace
/// its activations.
///
/// Dictionaries of one model are evaluated together on one pass of the model as it is, each with a run of its own.
package struct EvaluationRun {
    /// The settings; their dictionary is one of `dictionaries`.
    package let settings: EvaluationSettings
    /// Names or numbers of the dictionaries; nil is the last one added.
    package let dictionaries: [String?]
    /// Workers that run it.
    package let workers: Workers

    /// Describes runs.
    ///
    /// - Parameter dictionaries: which dictionaries; that of the settings if none are given.
    package init(settings: EvaluationSettings, dictionaries: [String] = [], workers: Workers) {
        self.settings = settings
        self.dictionaries = dictionaries.isEmpty ? [settings.dictionary] : dictionaries
        self.workers = workers
    }

    /// The result for one dictionary.
    package struct Result: Sendable {
        /// The run's number in the catalog.
        package let runID: Int64
        /// The dictionary.
        package let dictionary: DictionaryRecord
        /// Its figures.
        package let figures: [EvaluationRecord]
    }

    /// Progress of an evaluation.
    package struct Progress: Sendable {
        /// Dictionaries that are done.
        package let dictionaries: Int
        /// Dictionaries in all.
        package let totalDictionaries: Int
        /// Real tokens read for the current dictionaries.
        package let tokens: Int
        /// Documents begun, of how many.
        package let documents: Int
        /// Documents of the text.
        package let totalDocuments: Int
    }

    /// Evaluates the dictionaries.
    ///
    /// - Parameters:
    ///   - cancelled: asked before every batch; once true, the runs at hand end as interrupted and write nothing.
    ///   - progress: told after every batch.
    ///   - remark: told warnings about the text, such as replaced bytes: whole lines.
    /// - Returns: the results that are complete, in the order of the dictionaries.
    /// - Throws: `WorkflowError`, `CatalogError`, `LanguageModelError`, `SparseCodingError`.
    @discardableResult
    package func run(
        on catalog: Catalog, cancelled: @escaping () -> Bool = { false }, progress: (Progress) -> Void = { _ in },
        remark: (String) -> Void = { _ in }
    ) throws -> [Result] {
        try settings.validate()
        let folder = try ModelFolder(path: settings.model, workers: workers, precision: settings.precision)
        let context = try folder.context(settings.context)
        let records = try dictionaries.map { try StoredDictionary.record(named: $0, in: catalog) }
        // Checked first: a dictionary of another model invalidates all runs.
        for record in records { try StoredDictionary.check(record, against: folder, in: catalog) }
        try folder.model.checkUnembedding()
        let configurations = try records.map { try StoredDictionary.configuration(of: $0) }
        let model = folder.model.configuration
        let batchTokens = EvaluationPass.batchTokens(model)
        var plans: [LatentPlan] = []
        if settings.measuresLatents {
            let layers = try LatentPlan.layers(settings, of: records, model: model, in: catalog)
            plans = try records.map { try LatentPlan(settings, for: $0, layers: layers, in: catalog) }
        }
        plans.compactMap(\.remark).forEach(remark)
        let memory = EvaluationMemory(
            layers: model.layerCount, dModel: model.dModel, tokens: batchTokens, workers: workers.count,
            covered: settings.includes(.coverage) ? plans.first?.layers.count ?? 0 : 0)
        let groups = memory.groups(of: configurations)
        try memory.check(groups, of: configurations)
        let text = try EvaluationText(settings, folder: folder, in: catalog)
        text.remarks.forEach(remark)
        var results: [Result] = []
        for group in groups {
            results += try evaluate(
                Array(records[group]), plans.isEmpty ? [] : Array(plans[group]), text, folder,
                Segmenter(tokenizer: folder.tokenizer, context: context),
                on: catalog,
                cancelled: cancelled
            ) { tokens, documents in
                progress(
                    Progress(
                        dictionaries: results.count, totalDictionaries: records.count, tokens: tokens,
                        documents: documents, totalDocuments: text.count))
            }
        }
        return results
    }

    private func evaluate(
        _ records: [DictionaryRecord], _ plans: [LatentPlan], _ text: EvaluationText, _ folder: ModelFolder,
        _ segmenter: Segmenter,
        on catalog: Catalog, cancelled: @escaping () -> Bool, progress: (_ tokens: Int, _ documents: Int) -> Void
    ) throws -> [Result] {
        let inputs = try folder.inputs() + text.inputs
        return try catalog.withRuns(
            of: records, cancelled: cancelled,
            opening: { record in
                var own = plans.first { $0.record.dictionaryID == record.dictionaryID }?.settings ?? settings
                own.dictionary = record.name
                return try catalog.openRun(.evaluate, settings: own, seed: settings.seed, inputs: inputs)
            }
        ) { runs in
            var figures = records.map { _ in [EvaluationRecord]() }
            if settings.includes(.substitution) {
                figures = try substitute(
                    records, runs, text, folder, segmenter, in: catalog, cancelled: cancelled, progress: progress)
            }
            if !plans.isEmpty {
                let measured = try measure(plans, text, folder, segmenter, in: catalog, progress: progress) {
                    try runs[0].checkCancelled(Self.stopped)
                }
                for (place, own) in measured.enumerated() {
                    figures[place] += own.map {
                        $0.record(
                            runID: runs[place].runID, dictionaryID: records[place].dictionaryID,
                            corpusID: text.corpusID)
                    }
                }
            }
            return try records.indices.map { place in
                try catalog.write(evaluations: figures[place])
                try runs[place].complete()
                return Result(runID: runs[place].runID, dictionary: records[place], figures: figures[place])
            }
        }
    }

    static let stopped = "evaluation was stopped; no figures were written"

    /// Reconstruction, and the model with reconstructions.
    private func substitute(
        _ records: [DictionaryRecord], _ runs: [RunContext], _ text: EvaluationText, _ folder: ModelFolder,
        _ segmenter: Segmenter, in catalog: Catalog, cancelled: () -> Bool,
        progress: (_ tokens: Int, _ documents: Int) -> Void
    ) throws -> [[EvaluationRecord]] {
        let evaluations = try zip(records, runs).map { record, run in
            let dictionary = try StoredDictionary(record, in: catalog)
            return DictionaryEvaluation(
                dictionary.configuration, dictionary.weights, dictionaryID: record.dictionaryID, runID: run.runID,
                workers: workers, precision: folder.model.precision)
        }

        let pass = EvaluationPass(evaluations, model: folder.model, settings: settings, workers: workers)
        var tokens = 0
        let total = try text.forEachBatch(
            segmenter: segmenter, maximum: settings.maximumTokens,
            batchTokens: EvaluationPass.batchTokens(folder.model.configuration)
        ) { segments, documents in
            try runs[0].checkCancelled(Self.stopped)
            try pass.read(segments)
            tokens += segments.reduce(0) { $0 + $1.tokens.count - $1.prefix }
            progress(tokens, documents)
        }
        guard total > 0 else { throw WorkflowError.refused("the text holds no tokens") }
        return try evaluations.map {
            try $0.figures(settings, corpusID: text.corpusID, cancelled: cancelled)
        }
    }
}
