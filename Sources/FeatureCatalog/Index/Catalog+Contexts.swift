import GRDB
package import Vocabulary

extension Catalog {
    /// A feature's contexts on a corpus, by band (`top`, `sample`, `quiet`) and rank.
    ///
    /// - Parameters:
    ///   - band: Only these; nil for all.
    ///   - split: Only these; nil for all.
    /// - Throws: ``CatalogError`` `.damaged` for malformed activations.
    package func contexts(
        _ key: IndexingKey, featureIndex: Int, band: ContextBand? = nil, split: ContextSplit? = nil
    ) throws(CatalogError) -> [ContextRecord] {
        try read { database in
            try checkTextSize(key, featureIndex: featureIndex, database)
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT context_id, feature_index, band, rank, passage_id, document_id, token_position, segment,
                        window_start, window_length, layer, router_weight, activation, split, excerpt, n_occurrences
                    FROM context WHERE dictionary_id = ? AND feature_index = ? AND corpus_id = ?
                    ORDER BY CASE band WHEN 'top' THEN 0 WHEN 'sample' THEN 1 ELSE 2 END, rank
                    """,
                arguments: [key.dictionaryID, featureIndex, key.corpusID])
            let shapes = try rows.map { row in
                try ContextShape(
                    band: enumeration(row.value(2), "context.band"), rank: row.number(3), windowLength: row.number(9),
                    windowStart: row.number(8), tokenPosition: row.number(6))
            }

            let windows = try contextActivations(key, featureIndex: featureIndex, shapes, database)
            return try zip(rows, windows).map(contextRecord).filter {
                (band == nil || $0.band == band) && (split == nil || $0.split == split)
            }
        }
    }

    /// The windows of a feature's contexts, in the order of band and rank.
    func contextShapes(_ key: IndexingKey, featureIndex: Int) throws(CatalogError) -> [ContextShape] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT band, rank, window_length, window_start, token_position FROM context
                    WHERE dictionary_id = ? AND feature_index = ? AND corpus_id = ?
                    ORDER BY CASE band WHEN 'top' THEN 0 WHEN 'sample' THEN 1 ELSE 2 END, rank
                    """,
                arguments: [key.dictionaryID, featureIndex, key.corpusID]
            ).map {
                try ContextShape(
                    band: enumeration($0.value(0), "context.band"), rank: $0.number(1), windowLength: $0.number(2),
                    windowStart: $0.number(3), tokenPosition: $0.number(4))
            }
        }
    }

    /// The activations of all of a feature's contexts, `[contexts][window tokens]`.
    func contextActivations(
        _ key: IndexingKey, featureIndex: Int, _ shapes: [ContextShape]
    ) throws(CatalogError) -> [[Float]] {
        try read { try contextActivations(key, featureIndex: featureIndex, shapes, $0) }
    }

    /// The activations of all of a feature's contexts, `[contexts][window tokens]`.
    func contextActivations(
        _ key: IndexingKey, featureIndex: Int, _ shapes: [ContextShape], _ database: Database
    ) throws -> [[Float]] {
        guard !shapes.isEmpty else { return [] }
        let place = "activations of feature \(featureIndex) of dictionary \(key.dictionaryID) on corpus \(key.corpusID)"
        guard OtherActivations.canHold(windowLengths: shapes.map(\.windowLength)) else {
            throw CatalogError(.damaged, "\(path): \(place): impossible windows")
        }

        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT other_activations, activation FROM feature_context
                WHERE dictionary_id = ? AND feature_index = ? AND corpus_id = ? ORDER BY band, rank
                """,
            arguments: [key.dictionaryID, featureIndex, key.corpusID])
        guard rows.count == shapes.count else {
            throw CatalogError(.damaged, "\(path): \(place): those of another number of contexts")
        }
        return try zip(rows, shapes).map { row, shape in
            guard
                let window = OtherActivations.decode(
                    try row.value(0), peak: shape.peak, activation: try row.value(1), length: shape.windowLength)
            else {
                throw CatalogError(.damaged, "\(path): \(place): not of the form, or of another window")
            }
            return window
        }
    }

    /// The largest total text of the passages of a feature's contexts, bytes.
    private static let maximumTextByteCount = 1 << 28

    /// Refuses contexts whose text would fill the memory: thousands of windows may lie in one long passage.
    private func checkTextSize(_ key: IndexingKey, featureIndex: Int, _ database: Database) throws {
        let size = try Double.fetchOne(
            database,
            sql: """
                SELECT total(length(CAST(p.text AS BLOB)) + length(CAST(p.token_starts AS BLOB)))
                FROM feature_context AS c
                JOIN passage AS p ON p.passage_id = c.passage_id
                WHERE c.dictionary_id = ? AND c.feature_index = ? AND c.corpus_id = ?
                """,
            arguments: [key.dictionaryID, featureIndex, key.corpusID])
        guard size ?? 0 <= Double(Self.maximumTextByteCount) else {
            throw CatalogError(.damaged, "\(path): the contexts of feature \(featureIndex) have more text than can be")
        }
    }

    private func contextRecord(_ row: Row, _ activations: [Float]) throws -> ContextRecord {
        try ContextRecord(
            contextID: row.value(0), featureIndex: row.number(1), band: enumeration(row.value(2), "context.band"),
            rank: row.number(3), passageID: row.value(4), documentID: row.value(5), tokenPosition: row.number(6),
            segment: row.number(7), windowStart: row.number(8), layer: row.number(10), routerWeight: row.value(11),
            activation: row.value(12), split: enumeration(row.value(13), "context.split"),
            occurrenceCount: row.tally(15), activations: activations, excerpt: row.value(14))
    }
}
