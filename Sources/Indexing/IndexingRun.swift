import ActivationPipeline
package import FeatureCatalog
import Foundation
import JSON
import LanguageModel
package import LinearAlgebra
import SparseCoding
import Tokenization

/// Runs text through a model and a dictionary once, and writes the statistics of every feature: firings, layers, token
/// classes and contexts.
///
/// Memory is bounded by features and options, not by the text: about m · (5 KiB + 160 bytes a context) beside a batch
/// of activations and 256 MiB of the catalog's pages. Writing the index adds the windows whose occurrences are
/// counted, and the positions of the corpus's passages.
package struct IndexingRun {
    /// The settings.
    package let settings: IndexingSettings
    /// Workers that run it.
    package let workers: Workers

    /// Approximate tokens of one batch: efficient for the model, and fits in memory.
    static let defaultBatchTokens = 8192
    /// The same for this run; no figure depends on it.
    package var batchTokens = IndexingRun.defaultBatchTokens
    /// A folder to make with every firing, as `DelphiCache` describes it; nil for none.
    package var delphiCache: String?

    /// Describes a run.
    package init(settings: IndexingSettings, workers: Workers) {
        self.settings = settings
        self.workers = workers
    }

    /// The result of indexing.
    package struct Result: Sendable {
        /// The run's number in the catalog.
        package let runID: Int64
        /// The dictionary and the corpus.
        package let key: IndexingKey
        /// Real tokens indexed.
        package let tokens: Int
        /// Documents they come from.
        package let documents: Int
        /// Explained variance over all of them.
        package let explainedVariance: Double
        /// Whether the model has an unembedding; without it no promoted tokens are listed.
        package let hasUnembedding: Bool
    }

    /// Indexes the text.
    ///
    /// - Parameters:
    ///   - replacing: whether an earlier index of the dictionary is replaced.
    ///   - cancelled: asked before every batch; once true, the run ends as interrupted and writes no statistics.
    ///   - progress: told the progress after every batch.
    ///   - remark: told warnings about the text, such as replaced bytes: whole lines.
    /// - Throws: `WorkflowError`, `CatalogError`, `LanguageModelError`, `SparseCodingError`; of `delphiCache` also
    ///   `SafetensorsError`, and `WorkflowError.cannotWrite` for a folder that exists.
    package func run(
        on catalog: Catalog, replacing: Bool = false, cancelled: @escaping () -> Bool = { false },
        progress: (IndexingProgress) -> Void = { _ in }, remark: (String) -> Void = { _ in }
    ) throws -> Result {
        try settings.options.validate()
        let dictionary = try StoredDictionary(named: settings.dictionary, in: catalog)
        let folder = try ModelFolder(
            path: settings.model, workers: workers, name: settings.modelName, precision: settings.precision)
        try dictionary.check(folder, in: catalog)
        // Rows of the unembedding are needed only hours later, so they are checked now.
        if settings.options.promotedTokens > 0, folder.model.hasUnembedding {
            try folder.model.checkUnembedding(of: 0..<folder.tokenizer.vocabularySize)
        }
        _ = try folder.context(settings.options.context)
        try checkMemory(dictionary.configuration)
        let corpus = try TextCorpus(paths: settings.text)
        corpus.remarks.forEach(remark)
        if !replacing { try checkIsNew(corpus, for: dictionary.record, in: catalog) }
        func index(_ cache: DelphiCache?) throws -> Result {
            try catalog.withRun(
                .index, settings: settings, seed: settings.seed, inputs: try folder.inputs() + corpus.inputs,
                cancelled: cancelled
            ) { run in
                let pass = try IndexingPass(
                    dictionary: dictionary, folder: folder, corpus: corpus, catalog: catalog, settings: settings,
                    workers: workers, batchTokens: batchTokens, cache: cache)
                try pass.read(run, progress: progress)
                try cache?.finish(model: settings.modelName ?? settings.model, source: settings.corpusName)
                try pass.write(run, replacing: replacing)
                return Result(
                    runID: run.runID, key: pass.key, tokens: pass.tokens,
                    documents: pass.documents, explainedVariance: pass.explainedVariance,
                    hasUnembedding: folder.model.hasUnembedding)
            }
        }
        guard let delphiCache else { return try index(nil) }
        return try OutputFolder.make(delphiCache) { draft in
            let cache = try DelphiCache(in: draft, for: dictionary.configuration)
            let result = try index(cache)
            if cache.clampedCount > 0 {
                remark("\(delphiCache): \(cache.clampedCount) activations above 65504 are written as 65504")
            }
            return result
        }
    }

    /// Refuses a corpus for which the dictionary already has an index.
    private func checkIsNew(_ corpus: TextCorpus, for dictionary: DictionaryRecord, in catalog: Catalog) throws {
        let known = try catalog.corpora().filter { $0.sha256 == corpus.digest && $0.name == settings.corpusName }
        let indexed = try catalog.indexings(dictionaryID: dictionary.dictionaryID).map(\.key.corpusID)
        guard let same = known.first(where: { indexed.contains($0.corpusID) }) else { return }
        throw WorkflowError.refused(
            "\(catalog.path): dictionary \"\(dictionary.name)\" is indexed on \"\(same.name)\" already; "
                + "add `replacing` to replace that")
    }

    /// Peak memory of indexing: the weights, the encoder's packed as well, a batch with the model's streams, and the
    /// statistics of every feature with all contexts filled.
    private func checkMemory(_ configuration: DictionaryConfiguration) throws(WorkflowError) {
        let (d, m, k) = (
            Double(configuration.dModel), Double(configuration.latents),
            Double(configuration.k ?? configuration.latents)
        )
        let options = settings.options
        let contexts = Double(2 * options.topContexts + options.sampleContexts + options.quietContexts)
        // A context, and its window while occurrences are counted.
        let features = m * (960 + 513 + contexts * (40 + 32))
        let width = Double(configuration.layers.count) * d
        let batch = Double(2 * batchTokens) * (2 * width + 3 * d + 6 * k)
        let tiles = Double(workers.count * 259) * m
        let pages = Double(Catalog.writingCacheByteCount / 4)
        let encoder = m * Double(configuration.inputWidth)
        let packed = encoder <= Double(DictionaryEncoder.mostPacked) ? encoder : 0
        try MemoryBudget.machine.check(
            floats: 2 * encoder + packed + features + batch + tiles + pages,
            for: "indexing \(configuration.latents) latents",
            advice: "take fewer contexts (`topContexts`, `sampleContexts`) or a smaller `window`")
    }
}
