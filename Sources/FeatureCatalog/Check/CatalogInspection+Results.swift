import GRDB

extension CatalogInspection {
    mutating func checkScores() throws {
        let rows = try Row.fetchCursor(database, sql: "SELECT score_id, detail FROM score WHERE detail IS NOT NULL")
        while let row = try rows.next() {
            let frame = try row.bytes(1)
            do { _ = try Zstd.decompress(frame, limit: Catalog.maximumDetailByteCount) } catch {
                add("score \(try row.value(0) as Int64)", "detail: \(error)")
            }
        }
    }

    mutating func checkExchanges() throws {
        for digest in try String.fetchAll(database, sql: "SELECT sha256 FROM exchange ORDER BY exchange_id") {
            do {
                guard let exchange = try catalog.exchange(sha256: digest), exchange.sha256 == digest else {
                    add("exchange \(digest)", "it does not match its SHA-256")
                    continue
                }
            } catch {
                add("exchange \(digest)", error.message)
            }
        }
    }

    /// Checks the copies of explanations and scores in feature rows.
    mutating func checkVerdicts() throws {
        func newest(_ column: String, _ method: String) -> String {
            """
            (SELECT s.\(column) FROM score AS s
                WHERE s.explanation_id = f.explanation_id AND s.method = '\(method)' AND s.status = 'ok'
                ORDER BY s.score_id DESC LIMIT 1)
            """
        }

        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT f.dictionary_id, f.feature_index, f.corpus_id FROM feature AS f
                WHERE f.explanation_id IS NOT (
                        SELECT max(x.explanation_id) FROM explanation AS x
                        WHERE x.dictionary_id = f.dictionary_id AND x.feature_index = f.feature_index
                            AND x.corpus_id = f.corpus_id)
                    OR f.simulation_score IS NOT \(newest("value", "simulation"))
                    OR f.simulation_baseline IS NOT \(newest("baseline_value", "simulation"))
                    OR f.detection_score IS NOT \(newest("value", "detection"))
                    OR f.fuzzing_score IS NOT \(newest("value", "fuzzing"))
                    OR f.rubric_score IS NOT (
                        SELECT s.value FROM score AS s
                        WHERE s.dictionary_id = f.dictionary_id AND s.feature_index = f.feature_index
                            AND s.corpus_id = f.corpus_id AND s.method = 'rubric' AND s.status = 'ok'
                        ORDER BY s.score_id DESC LIMIT 1)
                LIMIT ?
                """,
            arguments: [limit])
        for row in rows {
            let (dictionary, feature, corpus): (Int64, Int, Int64) = (
                try row.value(0), try row.value(1), try row.value(2)
            )
            add(
                "feature \(feature) of dictionary \(dictionary) on corpus \(corpus)",
                "its explanation or a score of it is not the newest")
        }
    }
}
