package import ActivationPipeline
package import FeatureCatalog
package import LinearAlgebra
import SparseCoding
import Tokenization
import Vocabulary

/// Reads texts through a language model and some dictionaries, which are loaded once.
///
/// Memory is that of the weights and one batch of activations, for any length of text.
package final class PromptReader {
    /// The model.
    package let folder: ModelFolder
    /// A reader for each dictionary, in the order named.
    package let readers: [TextReader]

    /// The dictionaries, in the order named.
    package var dictionaries: [DictionaryRecord] { readers.map(\.dictionary.record) }

    /// Loads the model and the dictionaries.
    ///
    /// - Parameters:
    ///   - path: folder of the model.
    ///   - names: names or numbers of dictionaries; none for the last one added.
    /// - Throws: `WorkflowError.refused` for another model than a dictionary's, or too little memory; `CatalogError`,
    ///   `LanguageModelError`, `SparseCodingError`.
    package convenience init(
        model path: String, dictionaries names: [String], in catalog: Catalog, workers: Workers
    ) throws {
        // A name that is wrong is found before the model is opened.
        let records = try (names.isEmpty ? [nil] : names.map(Optional.some)).map {
            try StoredDictionary.record(named: $0, in: catalog)
        }
        for record in records { try Self.checkMemory(record, workers: workers) }
        try self.init(
            try ModelFolder(path: path, workers: workers), dictionaries: records, in: catalog, workers: workers)
    }

    /// Loads the dictionaries for a model that is open.
    ///
    /// - Throws: as above.
    package init(
        _ folder: ModelFolder, dictionaries records: [DictionaryRecord], in catalog: Catalog, workers: Workers
    ) throws {
        for record in records {
            try Self.checkMemory(record, workers: workers)
            try StoredDictionary.check(record, against: folder, in: catalog)
        }
        readers = try records.map {
            TextReader(dictionary: try StoredDictionary($0, in: catalog), folder: folder, workers: workers)
        }
        self.folder = folder
    }

    /// The segments of a text, cut as in indexing.
    ///
    /// - Throws: `WorkflowError.usage` for a text without tokens.
    package func segments(of text: String) throws(WorkflowError) -> [TokenSegment] {
        let segments = Segmenter(tokenizer: folder.tokenizer, context: folder.defaultContext)
            .segments(of: text, document: 0)
        guard !segments.isEmpty else { throw .usage("the text holds no tokens") }
        return segments
    }

    /// Reads segments, in batches of 8192 tokens or one segment.
    ///
    /// - Parameters:
    ///   - segments: as `segments(of:)` cuts them.
    ///   - dictionary: the number of the dictionary among ``dictionaries``.
    ///   - cancelled: asked before every batch.
    ///   - progress: told after every batch how many of how many tokens are done.
    ///   - eachToken: receives the firings on each token in order; if every layer of a token is a sample of its own,
    ///     layer after layer.
    /// - Throws: `WorkflowError.interrupted`; `LanguageModelError`, `SparseCodingError`; and what `eachToken` throws.
    package func read(
        _ segments: [TokenSegment], through dictionary: Int, cancelled: () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }, eachToken: (TokenFirings) throws -> Void
    ) throws {
        let reader = readers[dictionary]
        let total = segments.reduce(0) { $0 + $1.tokens.count - $1.prefix }
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
                    let token = folder.tokenizer.text(of: reading.batch.tokenIDs[row])
                    let position = segment.start + row - rows.lowerBound
                    for place in reader.firings(on: row, at: position, token, in: reading) { try eachToken(place) }
                }
            }
            done += reading.count
            progress(done, total)
        }
    }

    /// What fires on every token, in order: as ``read(_:through:cancelled:progress:eachToken:)``, all of it kept.
    package func firings(
        on segments: [TokenSegment], through dictionary: Int, cancelled: () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> [TokenFirings] {
        var firings: [TokenFirings] = []
        try read(segments, through: dictionary, cancelled: cancelled, progress: progress) { firings.append($0) }
        return firings
    }

    /// Checks that a batch of text and the dictionary's weights fit the memory.
    ///
    /// - Throws: `WorkflowError.refused`.
    private static func checkMemory(_ record: DictionaryRecord, workers: Workers) throws(WorkflowError) {
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
