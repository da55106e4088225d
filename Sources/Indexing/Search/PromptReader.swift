package import ActivationPipeline
package import FeatureCatalog
package import LinearAlgebra
import SparseCoding
import Tokenization

/// Reads prompts through a language model and some dictionaries, which are loaded once.
package final class PromptReader {
    /// The model.
    package let folder: ModelFolder
    private let readers: [TextReader]

    /// The dictionaries, in the order named.
    package var dictionaries: [DictionaryRecord] { readers.map(\.dictionary.record) }

    /// Loads the model and the dictionaries.
    ///
    /// - Parameters:
    ///   - path: folder of the model.
    ///   - names: names or numbers of dictionaries; none for the last one added.
    /// - Throws: `WorkflowError.refused` for another model than a dictionary's, or too little memory; `CatalogError`,
    ///   `LanguageModelError`, `SparseCodingError`.
    package init(model path: String, dictionaries names: [String], in catalog: Catalog, workers: Workers) throws {
        let records = try (names.isEmpty ? [nil] : names.map(Optional.some)).map {
            try StoredDictionary.record(named: $0, in: catalog)
        }
        let folder = try ModelFolder(path: path, workers: workers)
        for record in records {
            try FiringSearch.checkMemory(record, workers: workers)
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
        guard !segments.isEmpty else { throw .usage("the prompt holds no tokens") }
        return segments
    }

    /// What fires on every token, in order.
    ///
    /// - Parameters:
    ///   - segments: as `segments(of:)` cuts them.
    ///   - dictionary: the number of the dictionary among ``dictionaries``.
    ///   - cancelled: asked before every segment.
    /// - Throws: `WorkflowError.interrupted`; `LanguageModelError`, `SparseCodingError`.
    package func firings(
        on segments: [TokenSegment], through dictionary: Int, cancelled: () -> Bool = { false }
    ) throws -> [TokenFirings] {
        let reader = readers[dictionary]
        return try segments.flatMap { segment in
            if cancelled() { throw WorkflowError.interrupted("the prompt was not read to its end") }
            let reading = try reader.read([segment])
            return reading.rows[0].flatMap { row in
                reader.firings(
                    on: row, at: segment.start + row, folder.tokenizer.text(of: reading.batch.tokenIDs[row]),
                    in: reading)
            }
        }
    }
}
