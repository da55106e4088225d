import GRDB

extension Catalog {
    /// Writes a person's verdict; the catalog notes the time.
    ///
    /// - Returns: What it takes to take this verdict back, and no other.
    /// - Throws: ``CatalogError`` `.invalidValue` for a verdict out of range.
    @discardableResult
    package func write(review: ReviewRecord) throws(CatalogError) -> WrittenReview {
        guard ReviewRecord.verdicts.contains(review.verdict) else {
            throw CatalogError(.invalidValue, "\(path): a verdict is \(review.verdict); allowed: 1 … 5")
        }
        let written = ReviewRecord(
            dictionaryID: review.dictionaryID, featureIndex: review.featureIndex, explanationID: review.explanationID,
            verdict: review.verdict, category: review.category, note: review.note.map(Self.storable),
            reviewer: review.reviewer.map(Self.storable), createdAt: Timestamp.now())
        return try write { database in
            try database.execute(
                sql: """
                    INSERT INTO review (dictionary_id, feature_index, explanation_id, verdict, category, note, reviewer,
                        created_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    written.dictionaryID, written.featureIndex, written.explanationID, written.verdict,
                    written.category?.rawValue, written.note, written.reviewer, written.createdAt,
                ])
            return WrittenReview(
                reviewID: database.lastInsertedRowID,
                catalogUUID: try String.fetchOne(database, sql: "SELECT uuid FROM catalog") ?? "", review: written)
        }
    }

    /// Takes a verdict back. SQLite gives the key of a deleted row to another one, so the whole row is compared.
    ///
    /// - Throws: ``CatalogError`` `.notFound` if the catalog is another one or the row is not there as it was written.
    package func remove(_ written: WrittenReview) throws(CatalogError) {
        let review = written.review
        try write { database in
            try database.execute(
                sql: """
                    DELETE FROM review
                    WHERE review_id = ? AND dictionary_id = ? AND feature_index = ? AND verdict = ? AND category IS ?
                        AND note IS ? AND reviewer IS ? AND created_at IS ?
                        AND EXISTS (SELECT 1 FROM catalog WHERE uuid = ?)
                    """,
                arguments: [
                    written.reviewID, review.dictionaryID, review.featureIndex, review.verdict,
                    review.category?.rawValue, review.note, review.reviewer, review.createdAt, written.catalogUUID,
                ])
            guard database.changesCount > 0 else {
                throw CatalogError(.notFound, "\(path): the verdict is not there as it was written")
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
