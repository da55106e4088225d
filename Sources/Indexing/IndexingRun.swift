import ActivationPipeline
package import FeatureCatalog
import Foundation
import JSON
import LanguageModel
package import LinearAlgebra
import SparseCoding
import Tokenization

/// Runs text through a model and a dictionary once, and writes what every feature does on it: statistics, layers, token
/// classes and contexts.
///
/// Memory is bounded by features and options, not by the text: about m · (3 KiB + 160 bytes a context) besides one batch
/// of activations and 256 MiB of the catalog's pages. While the index is written come the windows whose occurrences are
/// counted, and where the corpus's passages lie, which is a little for each passage of the text.
package struct IndexingRun {
    /// What to do.
    package let settings: IndexingSettings
    /// Who does it.
    package let workers: Workers

    /// Tokens of one batch, about: what is worth the model's while and fits in memory.
    static let defaultBatchTokens = 8192
    /// The same for this run; no figure depends on it.
    package var batchTokens = IndexingRun.defaultBatchTokens

    /// Describes a run.
    package init(settings: IndexingSettings, workers: Workers) {
        self.settings = settings
        self.workers = workers
    }

    /// What came of it.
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

    /// Runs it.
    ///
    /// - Parameters:
    ///   - replacing: whether an earlier index of the dictionary is replaced.
    ///   - cancelled: asked before every batch; once true, the run ends as interrupted and writes no statistics.
    ///   - progress: told after every batch how far it has come.
    ///   - remark: told what a person should know of the text, such as bytes that were replaced: whole lines.
    /// - Throws: `WorkflowError`, `CatalogError`, `LanguageModelError`, `SparseCodingError`.
    package func run(
        on catalog: Catalog, replacing: Bool = false, cancelled: @escaping () -> Bool = { false },
        progress: (IndexingProgress) -> Void = { _ in }, remark: (String) -> Void = { _ in }
    ) throws -> Result {
        try settings.options.validate()
        let dictionary = try StoredDictionary(named: settings.dictionary, in: catalog)
        let folder = try ModelFolder(path: settings.model, workers: workers, name: settings.modelName)
        try dictionary.check(folder, in: catalog)
        // The rows that promoted tokens are read from, hours later.
        if settings.options.promotedTokens > 0, folder.model.hasUnembedding {
            try folder.model.checkUnembedding(of: 0..<folder.tokenizer.vocabularySize)
        }
        _ = try folder.context(settings.options.context)
        try checkMemory(dictionary.configuration)
        let corpus = try TextCorpus(paths: settings.text)
        corpus.remarks.forEach(remark)
        if !replacing { try checkIsNew(corpus, for: dictionary.record, in: catalog) }
        return try catalog.withRun(
            .index, settings: settings, seed: settings.seed, inputs: try folder.inputs() + corpus.inputs,
            cancelled: cancelled
        ) { run in
            let pass = try IndexingPass(
                dictionary: dictionary, folder: folder, corpus: corpus, catalog: catalog, settings: settings,
                workers: workers, batchTokens: batchTokens)
            try pass.read(run, progress: progress)
            try pass.write(run, replacing: replacing)
            return Result(
                runID: run.runID, key: pass.key, tokens: pass.tokens,
                documents: pass.documents, explainedVariance: pass.explainedVariance,
                hasUnembedding: folder.model.hasUnembedding)
        }
    }

    /// Refuses a corpus that the dictionary is indexed on already.
    private func checkIsNew(_ corpus: TextCorpus, for dictionary: DictionaryRecord, in catalog: Catalog) throws {
        let known = try catalog.corpora().filter { $0.sha256 == corpus.digest && $0.name == settings.corpusName }
        let indexed = try catalog.indexings(dictionaryID: dictionary.dictionaryID).map(\.key.corpusID)
        guard let same = known.first(where: { indexed.contains($0.corpusID) }) else { return }
        throw WorkflowError.refused(
            "\(catalog.path): dictionary \"\(dictionary.name)\" is indexed on \"\(same.name)\" already; "
                + "add `replacing` to replace that")
    }

    /// What indexing holds at once: the weights, a batch and the model's streams of it, and what is kept of every
    /// feature when all its contexts are full.
    private func checkMemory(_ configuration: DictionaryConfiguration) throws(WorkflowError) {
        let (d, m, k) = (
            Double(configuration.dModel), Double(configuration.latents),
            Double(configuration.k ?? configuration.latents)
        )
        let options = settings.options
        let contexts = Double(2 * options.topContexts + options.sampleContexts + options.quietContexts)
        // A context, and its window while it is counted how often that occurs.
        let features = m * (960 + contexts * (40 + 32))
        let width = Double(configuration.layers.count) * d
        let batch = Double(2 * batchTokens) * (2 * width + 3 * d + 6 * k)
        let tiles = Double(workers.count * 259) * m
        let pages = Double(Catalog.writingCacheByteCount / 4)
        try MemoryBudget.machine.check(
            floats: 2 * m * d + features + batch + tiles + pages, for: "indexing \(configuration.latents) latents",
            advice: "take fewer contexts (`topContexts`, `sampleContexts`) or a smaller `window`")
    }
}
