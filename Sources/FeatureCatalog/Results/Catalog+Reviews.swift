import GRDB

extension Catalog {
    /// Writes a person's verdict; the catalog notes the time.
    ///
    /// - Returns: Its key.
    /// - Throws: ``CatalogError`` `.invalidValue` for a verdict out of range.
    @discardableResult
    package func write(review: ReviewRecord) throws(CatalogError) -> Int64 {
        guard ReviewRecord.verdicts.contains(review.verdict) else {
            throw CatalogError(.invalidValue, "\(path): a verdict is \(review.verdict); allowed: 1 … 5")
        }
        return try write { database in
            try database.execute(
                sql: """
                    INSERT INTO review (dictionary_id, feature_index, explanation_id, verdict, category, note, reviewer,
                        created_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    review.dictionaryID, review.featureIndex, review.explanationID, review.verdict,
                    review.category?.rawValue,
                    review.note.map(Self.storable), review.reviewer.map(Self.storable), Timestamp.now(),
                ])
            return database.lastInsertedRowID
        }
    }

    /// Takes a verdict back.
    ///
    /// - Throws: ``CatalogError`` `.notFound` if it is not there.
    package func remove(reviewID: Int64) throws(CatalogError) {
        try write { database in
            try database.execute(sql: "DELETE FROM review WHERE review_id = ?", arguments: [reviewID])
            guard database.changesCount > 0 else {
                throw CatalogError(.notFound, "\(path): there is no review \(reviewID)")
            }
        }
    }

    /// Verdicts on a feature, oldest first.
    package func reviews(dictionaryID: Int64, featureIndex: Int) throws(CatalogError) -> [ReviewRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT dictionary_id, feature_index, explanation_id, verdict, category, note, reviewer, created_at
                    FROM review
                    WHERE dictionary_id = ? AND feature_index = ? ORDER BY review_id
                    """,
                arguments: [dictionaryID, featureIndex]
            ).map { row in
                try ReviewRecord(
                    dictionaryID: row.value(0), featureIndex: row.number(1), explanationID: row.value(2),
                    verdict: row.number(3), category: enumeration(row.value(4), "review.category"), note: row.value(5),
                    reviewer: row.value(6), createdAt: row.value(7))
            }
        }
    }
}
