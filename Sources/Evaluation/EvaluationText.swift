import ActivationPipeline
import FeatureCatalog
import Foundation
import Indexing
import LanguageModel
import LinearAlgebra
import Tokenization

/// The documents of an evaluation: files, or the catalog's documents of a corpus.
struct EvaluationText {
    /// The inputs that a run records.
    let inputs: [RunInput]
    /// How many documents there are.
    let count: Int
    /// Warnings about the text: whole lines.
    let remarks: [String]
    /// The corpus's key in the catalog, added if it is new.
    let corpusID: Int64
    private let read: (Int) throws -> (ordinal: Int, source: String, tokens: [TokenID])
    /// The documents in the order in which they are taken.
    private let order: [Int]

    /// Opens the text of an evaluation.
    ///
    /// - Throws: `WorkflowError.refused` where the catalog has no documents of the corpus, or several corpora of the name.
    init(_ settings: EvaluationSettings, folder: ModelFolder, in catalog: Catalog) throws {
        if settings.text.isEmpty {
            try self.init(storedAs: settings, folder: folder, in: catalog)
        } else {
            try self.init(files: settings, folder: folder, in: catalog)
        }
    }

    private init(files settings: EvaluationSettings, folder: ModelFolder, in catalog: Catalog) throws {
        let corpus = try TextCorpus(paths: settings.text)
        let name = settings.corpus ?? IndexingSettings(model: settings.model, text: settings.text).corpusName
        corpusID = try catalog.addCorpus(
            CorpusRecord(
                languageModelID: try folder.languageModelID(in: catalog), name: name,
                source: settings.text.joined(separator: ", "), sha256: corpus.digest))
        inputs = corpus.inputs
        remarks = corpus.remarks
        count = corpus.count
        order = Self.order(corpus.count, settings)
        read = { index in
            let document = try corpus.document(index)
            return (index, document.source, folder.tokenizer.encode(document.text, addSpecialTokens: false))
        }
    }

    /// The documents' order: that of the text, or drawn.
    private static func order(_ count: Int, _ settings: EvaluationSettings) -> [Int] {
        var order = Array(0..<count)
        guard settings.shuffle == true else { return order }
        var generator = CounterGenerator(seed: settings.seed, stream: "evaluated documents")
        generator.shuffle(&order)
        return order
    }

    private init(storedAs settings: EvaluationSettings, folder: ModelFolder, in catalog: Catalog) throws {
        let name = settings.corpus
        // Token ids are only meaningful for their own model.
        let models = Set(
            try catalog.languageModels().filter { try folder.hasWeights($0.sha256) }.map(\.languageModelID))
        let corpora = try catalog.corpora().filter { models.contains($0.languageModelID) }
        var named = corpora.filter { name == nil || $0.name == name || "\($0.corpusID)" == name }
        if name == nil {
            // An evaluation on a text leaves a corpus without documents.
            named = try named.filter { try !catalog.documentIDs(corpusID: $0.corpusID).isEmpty }
        }
        guard let corpus = named.last else {
            throw WorkflowError.refused(
                name.map { "\(catalog.path): there is no corpus \"\($0)\"; name one, or a text with `text`" }
                    ?? "\(catalog.path): holds no text of this model; name one with `text`")
        }
        guard name == nil || named.count == 1 else {
            throw WorkflowError.refused(
                "\(catalog.path): several corpora are called \"\(corpus.name)\"; name one by its number: "
                    + named.map { "\($0.corpusID)" }.joined(separator: ", "))
        }

        let documents = try catalog.documentIDs(corpusID: corpus.corpusID)
        guard !documents.isEmpty else {
            throw WorkflowError.refused(
                "\(catalog.path): the documents of corpus \"\(corpus.name)\" are not in it; name the text with `text`")
        }

        let vocabulary = folder.model.configuration.vocabularySize
        corpusID = corpus.corpusID
        remarks = []
        inputs = [RunInput(role: "corpus", name: corpus.name, sha256: corpus.sha256, bytes: 0)]
        count = documents.count
        order = Self.order(documents.count, settings)
        read = { index in
            let document = try catalog.document(documents[index])
            if let wrong = document.tokenIDs.first(where: { !(0..<vocabulary).contains(Int($0)) }) {
                throw WorkflowError.refused(
                    "\(catalog.path): document \(document.ordinal) of corpus \"\(corpus.name)\" has token \(wrong); "
                        + "\(folder.path) has 0 … \(vocabulary - 1)")
            }
            return (document.ordinal, document.source ?? corpus.name, document.tokenIDs)
        }
    }

    /// Goes through the documents' segments in order, in batches of whole segments.
    ///
    /// - Parameters:
    ///   - maximum: real tokens to stop after; the last document is cut so that the number is met.
    ///   - batchTokens: real tokens of a batch, about.
    ///   - where: which documents to take, by their place in the order.
    ///   - source: told where a document comes from before its first segment.
    ///   - body: takes the segments of a batch, and how many documents have been begun.
    /// - Returns: the number of real tokens.
    func forEachBatch(
        segmenter: Segmenter, maximum: Int?, batchTokens: Int, where isTaken: (_ place: Int) -> Bool = { _ in true },
        source: (_ document: Int, _ source: String) -> Void = { _, _ in },
        _ body: (_ segments: [TokenSegment], _ documents: Int) throws -> Void
    ) throws -> Int {
        var batch: [TokenSegment] = []
        var (total, pending) = (0, 0)
        for (place, index) in order.enumerated() where isTaken(place) {
            if let maximum, total >= maximum { break }
            let (ordinal, origin, tokens) = try read(index)
            source(ordinal, origin)
            let kept = maximum.map { Array(tokens.prefix($0 - total)) } ?? tokens
            for segment in segmenter.segments(ofTokens: kept, document: ordinal) {
                batch.append(segment)
                let count = segment.tokens.count - segment.prefix
                total += count
                pending += count
                guard pending >= batchTokens else { continue }
                try body(batch, place + 1)
                batch = []
                pending = 0
            }
        }
        if !batch.isEmpty { try body(batch, count) }
        return total
    }
}
