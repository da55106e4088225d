/// Key figures of a dictionary on a corpus: those of the view `dictionary_summary`, and evaluations.
package struct DictionarySummary: Equatable, Sendable {
    /// The dictionary's key.
    package let dictionaryID: Int64
    /// The corpus's key; nil where the dictionary is indexed on none.
    package let corpusID: Int64?
    /// The training loss of the last step.
    package let finalLoss: Double?
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
    /// The mean baseline score: wrong explanations on the same features.
    package let meanChance: Double?
    /// The explained variance on the corpus, from the index run or, if it did not record it, the last evaluation.
    package let explainedVariance: Double?
    /// NormMSE by the last evaluation on the corpus.
    package let normMSE: Double?
    /// KL divergence of the model with reconstructions, nats per token, likewise.
    package let kl: Double?
    /// The fraction of the loss recovered with reconstructions, likewise.
    package let recovered: Double?
}

extension Catalog {
    /// All dictionaries by number, each with the corpora it was indexed on.
    ///
    /// - Parameter dictionaryID: Only this one's; nil for all.
    package func dictionarySummaries(dictionaryID: Int64? = nil) throws(CatalogError) -> [DictionarySummary] {
        try rows(
            sql: """
                SELECT s.dictionary_id, s.corpus_id, s.final_loss, s.n_tokens_indexed, s.n_alive, s.n_dead,
                    s.mean_active_per_token, s.mean_layer_entropy, s.n_contexts, s.n_explained,
                    s.mean_simulation_score, s.mean_simulation_baseline,
                    ifnull(
                        (SELECT m.value FROM indexing AS i JOIN run_metric AS m ON m.run_id = i.run_id
                            WHERE i.dictionary_id = s.dictionary_id AND i.corpus_id = s.corpus_id
                                AND m.name = 'explained_variance' ORDER BY m.step DESC LIMIT 1),
                        \(Self.lastEvaluation("explained_variance"))),
                    \(Self.lastEvaluation("norm_mse")), \(Self.lastEvaluation("kl")), \(Self.lastEvaluation("recovered"))
                FROM dictionary_summary AS s \(dictionaryID == nil ? "" : "WHERE s.dictionary_id = ?")
                ORDER BY s.dictionary_id, s.corpus_id
                """,
            arguments: dictionaryID.map { [.integer($0)] } ?? []
        ).rows.compactMap(DictionarySummary.init)
    }

    /// The last value of a metric.
    private static func lastEvaluation(_ metric: String) -> String {
        """
        (SELECT e.value FROM evaluation AS e
            WHERE e.dictionary_id = s.dictionary_id AND e.corpus_id = s.corpus_id AND e.metric = '\(metric)'
                AND e.layer IS NULL ORDER BY e.run_id DESC LIMIT 1)
        """
    }
}

extension DictionarySummary {
    fileprivate init?(_ row: [CatalogValue]) {
        guard case .integer(let dictionaryID) = row[0] else { return nil }
        let corpusID = row[1].wholeNumber.map { Int64($0) }
        // Without a corpus nothing was counted, which is not the same as a count of 0.
        func count(_ value: CatalogValue) -> Int? { corpusID == nil ? nil : value.wholeNumber }
        self.init(
            dictionaryID: dictionaryID, corpusID: corpusID, finalLoss: row[2].number,
            tokenCount: count(row[3]), aliveCount: count(row[4]), deadCount: count(row[5]),
            meanActivePerToken: row[6].number, meanLayerEntropy: row[7].number, contextCount: count(row[8]),
            explainedCount: count(row[9]), meanScore: row[10].number, meanChance: row[11].number,
            explainedVariance: row[12].number, normMSE: row[13].number, kl: row[14].number, recovered: row[15].number)
    }
}
