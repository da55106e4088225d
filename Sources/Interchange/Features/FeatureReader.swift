import ActivationPipeline
import FeatureCatalog
import Vocabulary

/// Reads features of an index one after another, with their texts as tokens.
final class FeatureReader {
    /// Tokens of documents that are held at once.
    private static let heldTokens = 1 << 25
    private let catalog: Catalog
    /// The dictionary and its index.
    let indexed: IndexedDictionary
    /// The model that reads the corpus.
    let model: LanguageModelRecord
    /// Its vocabulary, by token.
    let vocabulary: [TokenRecord]
    /// What explanations scored, by feature, method of the explanation and kind of score; the newest.
    private let scores: [Int: [String: [ScoreMethod: Double]]]
    private var documents: [Int64: [Int32]] = [:]
    private var heldCount = 0
    /// Features that fired and whose activations are known in logarithmic bins only.
    private(set) var logarithmicCount = 0

    /// Finds the index.
    ///
    /// - Throws: `CatalogError`, `WorkflowError.refused` for a dictionary that is not indexed, or a catalog without the
    ///   vocabulary.
    init(dictionary: String?, corpus: String?, in catalog: Catalog) throws {
        self.catalog = catalog
        indexed = try IndexedDictionary(named: dictionary, corpus: corpus, in: catalog)
        let key = indexed.key
        let modelID =
            try catalog.corpora().first { $0.corpusID == key.corpusID }?.languageModelID
            ?? indexed.record.languageModelID
        guard let model = try catalog.languageModels().first(where: { $0.languageModelID == modelID }) else {
            throw WorkflowError.refused("\(catalog.path): the model of \"\(indexed.record.name)\" is not in it")
        }
        self.model = model
        vocabulary = try catalog.tokens(languageModelID: model.languageModelID)
        guard !vocabulary.isEmpty, vocabulary.enumerated().allSatisfy({ $0 == $1.tokenID }) else {
            throw WorkflowError.refused(
                "\(catalog.path): the vocabulary of \(model.name) is not in it as a whole; index again")
        }
        var scores: [Int: [String: [ScoreMethod: Double]]] = [:]
        for method in ScoreMethod.allCases {
            for score in try catalog.briefScores(key, method: method, withPeakLayers: false) {
                guard let explainer = score.explainer, let value = score.value else { continue }
                scores[score.featureIndex, default: [:]][explainer, default: [:]][method] = value
            }
        }
        self.scores = scores
    }

    /// A feature.
    ///
    /// - Throws: `CatalogError`; `.damaged` for texts or tokens that are not there.
    func feature(_ index: Int) throws -> ExportedFeature {
        let (entry, placed) = try catalog.featureParts(indexed.key, featureIndex: index)
        let logits = try catalog.logits(dictionaryID: indexed.key.dictionaryID, featureIndex: index)
        func ranked(_ direction: FeatureLogit.Direction) -> [ExportedFeature.RankedToken] {
            logits.filter { $0.direction == direction && vocabulary.indices.contains($0.tokenID) }
                .map { ExportedFeature.RankedToken(tokenID: $0.tokenID, value: $0.value) }
        }

        let (promoted, suppressed) = (ranked(.promoted), ranked(.suppressed))
        let histogram = try catalog.logitHistogram(dictionaryID: indexed.key.dictionaryID, featureIndex: index)
        return ExportedFeature(
            record: entry.record, layers: entry.layers, activations: activations(entry),
            logits: histogram.flatMap {
                BinnedValues(
                    $0, smallest: suppressed.first.map { Double($0.value) },
                    largest: promoted.first.map { Double($0.value) })
            },
            promoted: promoted, suppressed: suppressed,
            neighbors: try catalog.neighbors(dictionaryID: indexed.key.dictionaryID, featureIndex: index),
            contexts: try placed.filter { $0.entry.band != .quiet }.map(context),
            explanations: try explanations(of: index))
    }

    private func activations(_ entry: FeatureEntry) -> BinnedValues? {
        let record = entry.record
        guard record.firedCount > 0, let largest = record.maxActivation else { return nil }
        let smallest = Double(record.minActivation ?? min(0, largest))
        if let histogram = entry.linearHistogram {
            return BinnedValues(histogram, smallest: smallest, largest: Double(largest))
        }
        logarithmicCount += 1
        return BinnedValues(
            edges: indexed.indexing.histogramEdges, counts: record.histogram, smallest: smallest,
            largest: Double(largest))
    }

    private func context(_ placed: PlacedContext) throws -> ExportedFeature.Context {
        let entry = placed.entry
        let window = ContextWindow.range(
            around: entry.position, in: placed.passageTokens.count, length: indexed.indexing.window)
        let start = placed.passageTokens.lowerBound + window.lowerBound
        let all = try tokens(ofDocument: placed.documentID)
        guard window.count == entry.activations.count, start + window.count <= all.count else {
            throw CatalogError(.damaged, "\(catalog.path): a context lies outside of document \(placed.documentID)")
        }
        let tokenIDs = Array(all[start..<start + window.count])
        guard tokenIDs.allSatisfy({ vocabulary.indices.contains(Int($0)) }) else {
            throw CatalogError(.damaged, "\(catalog.path): document \(placed.documentID) has tokens of no vocabulary")
        }
        return ExportedFeature.Context(
            band: entry.band, rank: entry.rank, layer: entry.layer, document: placed.ordinal, start: start,
            peak: placed.tokenPosition - start, activation: entry.activation, tokenIDs: tokenIDs,
            activations: entry.activations)
    }

    private func tokens(ofDocument documentID: Int64) throws -> [Int32] {
        if let known = documents[documentID] { return known }
        let tokenIDs = try catalog.document(documentID).tokenIDs
        if heldCount + tokenIDs.count > Self.heldTokens {
            documents = [:]
            heldCount = 0
        }
        documents[documentID] = tokenIDs
        heldCount += tokenIDs.count
        return tokenIDs
    }

    private func explanations(of index: Int) throws -> [ExportedFeature.Explanation] {
        let found = try catalog.explanations(dictionaryID: indexed.key.dictionaryID, featureIndex: index)
            .filter { $0.corpusID == indexed.key.corpusID }
        // Of each method the newest.
        let newest = Dictionary(found.map { ($0.method, $0.explanationID) }, uniquingKeysWith: { $1 })
        return found.filter { newest[$0.method] == $0.explanationID }.enumerated().map { place, record in
            let values = scores[index]?[record.method] ?? [:]
            return ExportedFeature.Explanation(
                place: place, method: record.method, text: record.text,
                scores: ScoreMethod.allCases.compactMap { method in values[method].map { (method, $0) } })
        }
    }
}
