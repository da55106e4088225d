import Foundation
import GRDB
package import Vocabulary

extension Catalog {
    /// Writes scores.
    ///
    /// - Returns: Their keys, in the order given.
    /// - Throws: ``CatalogError`` `.invalidValue` if a status contradicts its value or reason, a value is not finite,
    ///   or a detail is not JSON.
    @discardableResult
    package func write(scores: [ScoreRecord]) throws(CatalogError) -> [Int64] {
        try check(scores)
        return try write { database in try insert(scores, database) }
    }

    func check(_ scores: [ScoreRecord]) throws(CatalogError) {
        for score in scores {
            let place = "\(score.method.rawValue) score of feature \(score.featureIndex)"
            guard (score.value != nil) == (score.status == .ok), (score.reason != nil) == (score.status != .ok) else {
                throw CatalogError(
                    .invalidValue, "\(path): \(place): a value belongs to `ok`, a reason to every other status")
            }
            guard score.value?.isFinite ?? true, score.baselineValue?.isFinite ?? true else {
                throw CatalogError(.invalidValue, "\(path): \(place) is not finite; store it as `undefined`")
            }
            try checkJSON(score.metricsJSON, "metrics of the \(place)")
            try checkJSON(score.detailJSON, "detail of the \(place)")
        }
    }

    func insert(_ scores: [ScoreRecord], _ database: Database) throws -> [Int64] {
        let insert = try database.makeStatement(
            sql: """
                INSERT INTO score (run_id, dictionary_id, feature_index, corpus_id, explanation_id, method, status,
                    value, baseline_value, reason, n_contexts, n_tokens, metrics, detail, category)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        return try scores.map { score in
            let detail = try score.detailJSON.map { detail in
                try frame { () throws(Zstd.Failure) in try Zstd.compress(Array(detail.utf8)) }
            }
            try insert.execute(arguments: [
                score.runID, score.dictionaryID, score.featureIndex, score.corpusID, score.explanationID,
                score.method.rawValue, score.status.rawValue, score.value, score.baselineValue,
                score.reason.map(Self.storable), score.contextCount, score.tokenCount, score.metricsJSON, detail,
                score.category?.rawValue,
            ])
            return database.lastInsertedRowID
        }
    }

    /// A dictionary's scores, oldest first.
    ///
    /// - Parameters:
    ///   - featureIndex: Only this feature's; nil for all.
    ///   - method: Only these; nil for all.
    ///   - runID: Only this run's; nil for all.
    /// - Throws: ``CatalogError`` `.damaged` if a detail blob is damaged.
    package func scores(
        dictionaryID: Int64, featureIndex: Int? = nil, method: ScoreMethod? = nil, runID: Int64? = nil
    ) throws(CatalogError) -> [ScoreRecord] {
        var conditions = ["dictionary_id = :dictionary"]
        var arguments: [String: (any DatabaseValueConvertible)?] = ["dictionary": dictionaryID]
        if let featureIndex {
            conditions.append("feature_index = :feature")
            arguments["feature"] = featureIndex
        }
        if let method {
            conditions.append("method = :method")
            arguments["method"] = method.rawValue
        }
        if let runID {
            conditions.append("run_id = :run")
            arguments["run"] = runID
        }
        return try read { database in
            var byteCount = 0
            return try Row.fetchAll(
                database,
                sql: """
                    SELECT score_id, run_id, dictionary_id, feature_index, corpus_id, explanation_id, method, status,
                        value, baseline_value, reason, n_contexts, n_tokens, metrics, detail, category
                    FROM score WHERE \(conditions.joined(separator: " AND ")) ORDER BY score_id
                    """,
                arguments: StatementArguments(arguments)
            ).map { row in
                let record = try scoreRecord(row)
                byteCount += record.detailJSON?.utf8.count ?? 0
                guard byteCount <= Self.maximumDetailsByteCount else {
                    throw CatalogError(.refused, "\(path): the details of the scores fill the memory; ask for fewer")
                }
                return record
            }
        }
    }

    /// The most bytes of details that one call returns.
    private static let maximumDetailsByteCount = 1 << 29

    /// The largest detail that is read back, bytes.
    static let maximumDetailByteCount = 1 << 26

    private func scoreRecord(_ row: Row) throws -> ScoreRecord {
        let scoreID: Int64 = try row.value(0)
        let detail = try row.optionalBytes(14).map { frame in
            try blob("detail of score \(scoreID)") { () throws(Zstd.Failure) in
                String(decoding: try Zstd.decompress(frame, limit: Self.maximumDetailByteCount), as: UTF8.self)
            }
        }
        return try ScoreRecord(
            scoreID: scoreID, runID: row.value(1), dictionaryID: row.value(2), featureIndex: row.number(3),
            corpusID: row.value(4), explanationID: row.value(5), method: enumeration(row.value(6), "score.method"),
            status: enumeration(row.value(7), "score.status"), value: row.value(8), baselineValue: row.value(9),
            category: enumeration(row.value(15), "score.category"), reason: row.value(10), contextCount: row.number(11),
            tokenCount: row.tally(12), metricsJSON: row.value(13),
            detailJSON: detail)
    }
}
