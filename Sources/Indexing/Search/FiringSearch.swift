import ActivationPipeline
package import FeatureCatalog
import LanguageModel
package import LinearAlgebra
import SparseCoding
import Tokenization
import Vocabulary

/// Runs a text through a model and a dictionary and reports which features fire where.
///
/// Memory is that of the weights and one batch of activations, for any length of text.
package struct FiringSearch {
    /// The text.
    package let text: String
    /// Folder of the language model.
    package let model: String
    private let dictionary: StoredDictionary
    private let workers: Workers

    /// Reads the dictionary.
    ///
    /// - Parameter dictionary: its name or number; nil takes the last one added.
    /// - Throws: `CatalogError`, `SparseCodingError`; `WorkflowError.usage` for an empty text.
    package init(
        text: String, model: String, dictionary: String?, in catalog: Catalog, workers: Workers
    ) throws {
        guard !text.isEmpty else { throw WorkflowError.usage("the text in which features fire is empty") }
        self.text = text
        self.model = model
        self.workers = workers
        let record = try StoredDictionary.record(named: dictionary, in: catalog)
        try FiringSearch.checkMemory(record, workers: workers)
        self.dictionary = try StoredDictionary(record, in: catalog)
    }

    /// Its row.
    package var record: DictionaryRecord { dictionary.record }

    /// Reads the text, in segments as in indexing and batches of 8192 tokens.
    ///
    /// - Parameters:
    ///   - catalog: the one that holds the dictionary.
    ///   - cancelled: asked before every batch.
    ///   - progress: told after every batch how many of how many tokens are done.
    ///   - eachToken: receives the firings on each token in order; if every layer of a token is a sample of its own,
    ///     layer after layer.
    /// - Returns: the features that fire, by number.
    /// - Throws: `WorkflowError.refused` for another model than the dictionary's, `.usage` for a text without tokens,
    ///   `.interrupted`; `LanguageModelError`, `SparseCodingError`; and what `eachToken` throws.
    package func run(
        in catalog: Catalog, cancelled: () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in },
        eachToken: (TokenFirings) throws -> Void = { _ in }
    ) throws -> [FeatureFirings] {
        let folder = try ModelFolder(path: model, workers: workers)
        try dictionary.check(folder, in: catalog)
        let reader = TextReader(dictionary: dictionary, folder: folder, workers: workers)
        let segmenter = Segmenter(tokenizer: folder.tokenizer, context: folder.defaultContext)
        let (tokens, segments) = segmenter.tokensAndSegments(of: text, document: 0)
        guard !tokens.isEmpty else { throw WorkflowError.usage("the text in which features fire holds no tokens") }
        var found: [Int: FeatureFirings] = [:]
        var rest = segments[...]
        var done = 0
        while !rest.isEmpty {
            if cancelled() { throw WorkflowError.interrupted("the text was not read to its end") }
            var count = 0
            let batch = Array(
                rest.prefix { segment in
                    defer { count += segment.tokens.count }
                    return count == 0 || count + segment.tokens.count <= IndexingRun.defaultBatchTokens
                })
            rest = rest.dropFirst(batch.count)
            let reading = try reader.read(batch)
            for (segment, rows) in zip(batch, reading.rows) {
                for row in rows {
                    let id = reading.batch.tokenIDs[row]
                    let token = folder.tokenizer.text(of: id)
                    for place in reader.firings(on: row, at: segment.start + row - rows.lowerBound, token, in: reading)
                    {
                        for firing in place.firings {
                            if found[firing.featureIndex]?.add(firing, at: place) == nil {
                                found[firing.featureIndex] = FeatureFirings(firing, at: place)
                            }
                        }
                        try eachToken(place)
                    }
                }
            }
            done += reading.count
            progress(done, tokens.count)
        }
        return found.values.sorted { $0.featureIndex < $1.featureIndex }
    }

    /// Checks that a batch of text and the dictionary's weights fit the memory.
    ///
    /// - Throws: `WorkflowError.refused`.
    static func checkMemory(_ record: DictionaryRecord, workers: Workers) throws(WorkflowError) {
        let (m, layers) = (Double(record.latentCount), Double(record.layers.count))
        let samples = Double(IndexingRun.defaultBatchTokens) * (record.architecture == .mlsae ? layers : 1)
        let width = Double(StoredDecoder.width(of: record))
        let batch =
            samples * (3 * width + 2 * Double(record.k ?? record.latentCount))
            + 3 * Double(IndexingRun.defaultBatchTokens) * layers * Double(record.dModel)
        try MemoryBudget.machine.check(
            floats: 2 * m * width + batch + Double(workers.count * 259) * m,
            for: "reading a text with \(record.latentCount) latents", advice: "use a machine with more")
    }
}
