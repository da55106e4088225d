extension Catalog {
    /// The names of the dictionaries that a run made, in the order in which they were added.
    package func dictionaryNames(ofRun runID: Int64) throws(CatalogError) -> [String] {
        try rows("SELECT name FROM dictionary WHERE run_id = ? ORDER BY dictionary_id", of: runID)
            .compactMap { $0[0].string }
    }

    /// The last point of a run's curve `loss`; nil where it has none.
    package func lastLoss(ofRun runID: Int64) throws(CatalogError) -> RunMetric? {
        let row = try rows(
            "SELECT step, value FROM run_metric WHERE run_id = ? AND name = 'loss' ORDER BY step DESC LIMIT 1",
            of: runID
        ).first
        guard let row, let step = row[0].wholeNumber else { return nil }
        return RunMetric(step: step, name: "loss", value: row[1].number)
    }

    /// The indexes of a run.
    package func indexes(ofRun runID: Int64) throws(CatalogError) -> [RunOutcome.Index] {
        try rows(
            """
            SELECT d.name, i.n_tokens, i.n_documents, c.name
            FROM indexing AS i JOIN dictionary AS d USING (dictionary_id) JOIN corpus AS c USING (corpus_id)
            WHERE i.run_id = ? ORDER BY d.dictionary_id
            """, of: runID
        ).compactMap { row in
            guard let dictionary = row[0].string, let tokens = row[1].wholeNumber, let documents = row[2].wholeNumber,
                let corpus = row[3].string
            else { return nil }
            return RunOutcome.Index(
                dictionary: dictionary, tokenCount: tokens, documentCount: documents, corpus: corpus)
        }
    }

    /// The scores of a run, by method.
    package func scores(ofRun runID: Int64) throws(CatalogError) -> [RunOutcome.Scores] {
        try rows(
            """
            SELECT d.name, s.method, count(s.value), avg(s.value), avg(s.baseline_value),
                sum(s.status = 'undefined'), sum(s.status = 'failed')
            FROM score AS s JOIN dictionary AS d USING (dictionary_id)
            WHERE s.run_id = ? GROUP BY d.dictionary_id, s.method
            """, of: runID
        ).compactMap { row in
            guard let dictionary = row[0].string, let method = row[1].string, let count = row[2].wholeNumber,
                let undefined = row[5].wholeNumber, let failed = row[6].wholeNumber
            else { return nil }
            return RunOutcome.Scores(
                dictionary: dictionary, method: method, count: count, mean: row[3].number, meanChance: row[4].number,
                undefinedCount: undefined, failedCount: failed)
        }
    }

    /// The evaluations of a run.
    package func evaluations(ofRun runID: Int64) throws(CatalogError) -> [RunOutcome.Evaluation] {
        try rows(
            """
            SELECT d.name, count(*), max(iif(e.metric = 'kl' AND e.layer IS NULL, e.value, NULL)),
                max(iif(e.metric = 'recovered' AND e.layer IS NULL, e.value, NULL))
            FROM evaluation AS e JOIN dictionary AS d USING (dictionary_id) WHERE e.run_id = ?
            GROUP BY d.dictionary_id
            """, of: runID
        ).compactMap { row in
            guard let dictionary = row[0].string, let count = row[1].wholeNumber else { return nil }
            return RunOutcome.Evaluation(
                dictionary: dictionary, count: count, kl: row[2].number, recovered: row[3].number)
        }
    }

    /// The steering results of a run.
    package func interventions(ofRun runID: Int64) throws(CatalogError) -> [RunOutcome.Steering] {
        try rows(
            """
            SELECT d.name, count(*), avg(i.kl) FROM intervention AS i JOIN dictionary AS d USING (dictionary_id)
            WHERE i.run_id = ? GROUP BY d.dictionary_id
            """, of: runID
        ).compactMap { row in
            guard let dictionary = row[0].string, let count = row[1].wholeNumber else { return nil }
            return RunOutcome.Steering(dictionary: dictionary, count: count, meanKL: row[2].number)
        }
    }

    private func rows(_ sql: String, of runID: Int64) throws(CatalogError) -> [[CatalogValue]] {
        try rows(sql: sql, arguments: [.integer(runID)]).rows
    }
}
