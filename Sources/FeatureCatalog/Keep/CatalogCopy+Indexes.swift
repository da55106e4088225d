import GRDB
import Vocabulary

/// Indexes of dictionaries, and the results that depend on them.
extension CatalogCopy {
    func indexKeys(_ from: Database, _ to: Database) throws -> [(from: IndexingKey, to: IndexingKey)] {
        var keys: [(from: IndexingKey, to: IndexingKey)] = []
        for dictionary in try source.dictionaries() {
            for indexing in try source.indexings(dictionaryID: dictionary.dictionaryID)
            where selection.indexes?.contains(indexing.key) ?? true {
                let key = IndexingKey(
                    dictionaryID: try mapped(dictionary.dictionaryID, dictionaries, "dictionary"),
                    corpusID: try mapped(indexing.key.corpusID, corpora, "corpus"))
                if try target.indexing(key) != nil {
                    remark(
                        "\(source.path): \"\(dictionary.name)\" is indexed on the same corpus already; that index stays"
                    )
                } else {
                    keys.append((indexing.key, key))
                }
            }
        }
        return keys
    }

    func copyIndex(
        _ key: IndexingKey, _ copyKey: IndexingKey, _ from: Database, _ to: Database, progress: (Int) -> Void
    ) throws {
        let condition = "dictionary_id = \(key.dictionaryID) AND corpus_id = \(key.corpusID)"
        let mapping = [
            "dictionary_id": dictionaries, "corpus_id": corpora, "run_id": runs, "passage_id": passages,
        ]
        try copy("indexing", condition, from, to, mapping: mapping)
        // Explanations come later, and with them the columns copied from them.
        try copy("feature", condition, from, to, mapping: mapping)
        try to.execute(
            sql: """
                UPDATE feature SET explanation_id = NULL, simulation_score = NULL, simulation_baseline = NULL,
                    detection_score = NULL, fuzzing_score = NULL, rubric_score = NULL
                WHERE dictionary_id = ? AND corpus_id = ? AND (explanation_id IS NOT NULL OR rubric_score IS NOT NULL)
                """,
            arguments: [copyKey.dictionaryID, copyKey.corpusID])
        for table in ["feature_layer", "feature_token", "feature_linear_histogram"] {
            try copy(table, condition, from, to, mapping: mapping)
        }
        try copy("feature_cofiring", "\(condition) AND \(listFilter)", from, to, mapping: mapping)
        try copy("feature_context", "\(condition) AND \(contextFilter)", from, to, mapping: mapping)
        progress(try source.dictionary(key.dictionaryID).latentCount)
        if selection.dropsContexts {
            try to.execute(
                sql: """
                    UPDATE indexing SET n_contexts = (
                        SELECT count(*) FROM feature_context AS c
                        WHERE c.dictionary_id = indexing.dictionary_id AND c.corpus_id = indexing.corpus_id)
                    WHERE dictionary_id = ? AND corpus_id = ?
                    """,
                arguments: [copyKey.dictionaryID, copyKey.corpusID])
        }
    }

    func copyResults(_ keys: [(from: IndexingKey, to: IndexingKey)], _ from: Database, _ to: Database) throws {
        let mapping = ["dictionary_id": dictionaries, "corpus_id": corpora, "run_id": runs]
        for key in keys {
            let index = "dictionary_id = \(key.from.dictionaryID) AND corpus_id = \(key.from.corpusID)"
            let condition = index + (selection.resultsBefore.map { " AND run_id < \($0)" } ?? "")
            try copy(
                "explanation", "\(condition) ORDER BY explanation_id", from, to, key: "explanation_id",
                mapping: mapping, note: { explanations[$0] = to.lastInsertedRowID })
            try copy(
                "score", "\(condition) ORDER BY score_id", from, to, key: "score_id",
                mapping: mapping.merging(["explanation_id": explanations]) { $1 })
            let runID = try Int64.fetchOne(from, sql: "SELECT run_id FROM indexing WHERE \(index)") ?? 0
            try copyOnce("layer_routing", "dictionary_id = \(key.from.dictionaryID) AND run_id = \(runID)", from, to)
        }
        try copyExchanges(from, to)
        // Rows that depend on a dictionary and no index.
        for id in newDictionaries {
            try copyOnce("layer_routing", "dictionary_id = \(id)", from, to)
            try copy(
                "evaluation", "dictionary_id = \(id)", from, to, key: "evaluation_id", mapping: mapping)
            try copy("intervention", "dictionary_id = \(id)", from, to, key: "intervention_id", mapping: mapping)
            try copyReviews(of: id, from, to)
        }
    }

    /// Rows of `layer_routing` that the target does not have yet.
    func copyOnce(_ table: String, _ condition: String, _ from: Database, _ to: Database) throws {
        let known = try Set(
            Row.fetchAll(to, sql: "SELECT DISTINCT dictionary_id, run_id FROM layer_routing").map {
                [try $0.value(0) as Int64, try $0.value(1) as Int64]
            })
        for row in try Row.fetchAll(from, sql: "SELECT DISTINCT dictionary_id, run_id FROM \(table) WHERE \(condition)")
        {
            let (dictionary, run): (Int64, Int64) = (try row.value(0), try row.value(1))
            let copy = [try mapped(dictionary, dictionaries, "dictionary"), try mapped(run, runs, "run")]
            guard !known.contains(copy) else { continue }
            try self.copy(
                table, "dictionary_id = \(dictionary) AND run_id = \(run)", from, to,
                mapping: ["dictionary_id": dictionaries, "run_id": runs])
        }
    }

    /// Exchanges that the target does not have yet.
    func copyExchanges(_ from: Database, _ to: Database) throws {
        let known = try String.fetchSet(to, sql: "SELECT sha256 FROM exchange")
        let condition = selection.exchangesUntil == nil ? "TRUE" : "created_at <= ?1"
        let until = selection.exchangesUntil.map { [$0] } ?? []
        let digests = try Row.fetchAll(
            from, sql: "SELECT exchange_id, sha256 FROM exchange WHERE \(condition)",
            arguments: StatementArguments(until))
        let wanted = try Set(
            digests.compactMap { row -> Int64? in known.contains(try row.value(1)) ? nil : try row.value(0) })
        try copy(
            "exchange", "TRUE ORDER BY exchange_id", from, to, key: "exchange_id", where: { wanted.contains($0) })
    }

    func copyReviews(of dictionary: Int64, _ from: Database, _ to: Database) throws {
        let rows = try Row.fetchAll(
            from,
            sql: """
                SELECT feature_index, explanation_id, verdict, category, note, reviewer, created_at FROM review
                WHERE dictionary_id = ? ORDER BY review_id
                """,
            arguments: [dictionary])
        for row in rows {
            // A review of an explanation that was left out becomes one of the feature.
            let explanation = (try row.value(1) as Int64?).flatMap { explanations[$0] }
            try to.execute(
                sql: """
                    INSERT INTO review (dictionary_id, feature_index, explanation_id, verdict, category, note, reviewer,
                        created_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    try mapped(dictionary, dictionaries, "dictionary"), row.value(0) as Int64, explanation,
                    row.value(2) as Int, row.value(3) as String?, row.value(4) as String?, row.value(5) as String?,
                    row.value(6) as String,
                ])
        }
    }
}
