package import FeatureCatalog
import FeatureScoring

/// What is known of a dictionary on a corpus in a few figures, to stand beside those of others.
@dynamicMemberLookup
package struct DictionaryFigures: Sendable {
    /// The dictionary.
    package let dictionary: DictionaryRecord
    /// The corpus it was indexed on; nil where it was on none.
    package let corpus: CorpusRecord?
    /// What the catalog itself says of them.
    package let summary: DictionarySummary
    /// The share of the features scored that exceed 95 % of what wrong explanations score; an undefined score does not.
    package let shareAboveChance: Double?

    package subscript<Value>(dynamicMember path: KeyPath<DictionarySummary, Value>) -> Value { summary[keyPath: path] }

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
        (self.dictionary, self.corpus, self.summary) = (dictionary, corpus, summary)
        shareAboveChance = try corpus.flatMap {
            try ScoreFigures.of(
                IndexingKey(dictionaryID: dictionary.dictionaryID, corpusID: $0.corpusID), in: catalog
            )?.all.share?.mean
        }
    }
}
