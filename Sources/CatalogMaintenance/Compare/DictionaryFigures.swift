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
        let result = try catalog.rows(
            sql: """
                SELECT s.dictionary_id, s.corpus_id, s.final_loss, s.n_tokens_indexed, s.n_alive, s.n_dead,
                    s.mean_active_per_token, s.mean_layer_entropy, s.n_contexts, s.n_explained,
                    s.mean_simulation_score, s.mean_simulation_baseline,
                    ifnull(
                        (SELECT m.value FROM indexing AS i JOIN run_metric AS m ON m.run_id = i.run_id
                            WHERE i.dictionary_id = s.dictionary_id AND i.corpus_id = s.corpus_id
                                AND m.name = 'explained_variance' ORDER BY m.step DESC LIMIT 1),
                        (SELECT e.value FROM evaluation AS e
                            WHERE e.dictionary_id = s.dictionary_id AND e.corpus_id = s.corpus_id
                                AND e.metric = 'explained_variance' AND e.layer IS NULL
                            ORDER BY e.run_id DESC LIMIT 1)),
                    \(evaluated("norm_mse")), \(evaluated("kl")), \(evaluated("recovered"))
                FROM dictionary_summary AS s \(dictionaryID == nil ? "" : "WHERE s.dictionary_id = ?")
                ORDER BY s.dictionary_id, s.corpus_id
                """,
            arguments: dictionaryID.map { [.integer($0)] } ?? [])
        return try result.rows.compactMap { row in
            guard case .integer(let number) = row[0], let dictionary = dictionaries[number] else { return nil }
            let corpus: CorpusRecord? = if case .integer(let number) = row[1] { corpora[number] } else { nil }
            return try DictionaryFigures(dictionary, corpus, row, in: catalog)
        }
    }

    /// The last value of a metric.
    private static func evaluated(_ metric: String) -> String {
        """
        (SELECT e.value FROM evaluation AS e
            WHERE e.dictionary_id = s.dictionary_id AND e.corpus_id = s.corpus_id AND e.metric = '\(metric)'
                AND e.layer IS NULL ORDER BY e.run_id DESC LIMIT 1)
        """
    }

    private init(
        _ dictionary: DictionaryRecord, _ corpus: CorpusRecord?, _ row: [CatalogValue], in catalog: Catalog
    ) throws {
        func count(_ column: Int) -> Int? {
            guard corpus != nil, case .integer(let value) = row[column] else { return nil }
            return Int(value)
        }

        func number(_ column: Int) -> Double? {
            switch row[column] {
            case .real(let value): value
            case .integer(let value): Double(value)
            case .null, .text, .blob: nil
            }
        }
        self.dictionary = dictionary
        self.corpus = corpus
        finalLoss = number(2)
        tokenCount = count(3)
        aliveCount = count(4)
        deadCount = count(5)
        meanActivePerToken = number(6)
        meanLayerEntropy = number(7)
        contextCount = count(8)
        explainedCount = count(9)
        meanScore = number(10)
        meanChance = number(11)
        explainedVariance = number(12)
        normMSE = number(13)
        kl = number(14)
        recovered = number(15)
        shareAboveChance = try corpus.flatMap {
            try ScoreFigures.of(
                IndexingKey(dictionaryID: dictionary.dictionaryID, corpusID: $0.corpusID), in: catalog
            )?.all.share?.mean
        }
    }
}
