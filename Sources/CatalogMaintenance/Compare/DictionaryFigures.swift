package import FeatureCatalog
import FeatureScoring

/// What is known of a dictionary on a corpus in a few figures, to stand beside those of others.
package struct DictionaryFigures: Sendable {
    /// The dictionary.
    package let dictionary: DictionaryRecord
    /// The corpus it was indexed on; nil where it was on none.
    package let corpus: CorpusRecord?
    /// The training loss of the last step.
    package let finalLoss: Double?
    /// The explained variance on the corpus, by the index run or, where that did not note it, by the last evaluation.
    package let explainedVariance: Double?
    /// NormMSE by the last evaluation on the corpus.
    package let normMSE: Double?
    /// KL divergence of the model with reconstructions, nats per token, likewise.
    package let kl: Double?
    /// The share of the loss that reconstructions keep, likewise.
    package let recovered: Double?
    /// Real tokens of the corpus.
    package let tokenCount: Int?
    /// Features that fired.
    package let aliveCount: Int?
    /// Features that did not.
    package let deadCount: Int?
    /// L0.
    package let meanActivePerToken: Double?
    /// The mean over features of the entropy of their firings over layers, nats.
    package let meanLayerEntropy: Double?
    /// Contexts kept.
    package let contextCount: Int?
    /// Features with an explanation.
    package let explainedCount: Int?
    /// The mean simulation score of the features that have one.
    package let meanScore: Double?
    /// The mean of what wrong explanations score on the same features.
    package let meanChance: Double?
    /// The share of the features scored that exceed 95 % of what wrong explanations score; an undefined score does not.
    package let shareAboveChance: Double?

    /// The index, if there is one.
    package var key: IndexingKey? {
        corpus.map { IndexingKey(dictionaryID: dictionary.dictionaryID, corpusID: $0.corpusID) }
    }

    /// All dictionaries of a catalog by number, each with the corpora it was indexed on.
    ///
    /// - Parameter dictionaryID: only this one's; nil for all.
    /// - Throws: `CatalogError`.
    package static func all(in catalog: Catalog, dictionaryID: Int64? = nil) throws -> [DictionaryFigures] {
        let records = try dictionaryID.map { [try catalog.dictionary($0)] } ?? catalog.dictionaries()
        let dictionaries = Dictionary(
            records.map { ($0.dictionaryID, $0) }, uniquingKeysWith: { first, _ in first })
        let corpora = Dictionary(
            try catalog.corpora().map { ($0.corpusID, $0) }, uniquingKeysWith: { first, _ in first })
        return try catalog.dictionarySummaries(dictionaryID: dictionaryID).compactMap { summary in
            guard let dictionary = dictionaries[summary.dictionaryID] else { return nil }
            return try DictionaryFigures(
                dictionary, summary.corpusID.flatMap { corpora[$0] }, summary, in: catalog)
        }
    }

    private init(
        _ dictionary: DictionaryRecord, _ corpus: CorpusRecord?, _ summary: DictionarySummary, in catalog: Catalog
    ) throws {
        self.dictionary = dictionary
        self.corpus = corpus
        finalLoss = summary.finalLoss
        tokenCount = corpus.flatMap { _ in summary.tokenCount }
        aliveCount = corpus.flatMap { _ in summary.aliveCount }
        deadCount = corpus.flatMap { _ in summary.deadCount }
        meanActivePerToken = summary.meanActivePerToken
        meanLayerEntropy = summary.meanLayerEntropy
        contextCount = corpus.flatMap { _ in summary.contextCount }
        explainedCount = corpus.flatMap { _ in summary.explainedCount }
        meanScore = summary.meanScore
        meanChance = summary.meanChance
        explainedVariance = summary.explainedVariance
        normMSE = summary.normMSE
        kl = summary.kl
        recovered = summary.recovered
        shareAboveChance = try corpus.flatMap {
            try ScoreFigures.of(
                IndexingKey(dictionaryID: dictionary.dictionaryID, corpusID: $0.corpusID), in: catalog
            )?.all.share?.mean
        }
    }
}
