import GRDB

extension Catalog {
    /// Writes everything that indexing a dictionary found, in one transaction: after `body` returns, all of it is
    /// there; if it throws or the process dies, none of it.
    ///
    /// Memory stays bounded, since SQLite moves what does not fit its cache into the journal. Other calls on this
    /// catalog from within `body` take part in the transaction; those from other threads wait.
    ///
    /// - Parameters:
    ///   - indexing: What is indexed, by which run, over which text.
    ///   - replacing: Whether an earlier index of the dictionary is removed first, with the explanations, scores,
    ///     logits and neighbours that rest on it.
    ///   - body: Writes the rows, ``CatalogIndexWriter/write(features:)`` before all others. There has to be one
    ///     feature for every latent at the end.
    /// - Throws: ``CatalogError`` `.exists` if there is an index and it may not be replaced, `.notFound` without such a
    ///   dictionary, `.invalidValue`, `.cannotWrite`; and whatever `body` throws.
    public func writeIndex(
        _ indexing: IndexingRecord, replacing: Bool = false, _ body: (CatalogIndexWriter) throws -> Void
    ) throws {
        let edges = indexing.histogramEdges
        guard edges.allSatisfy(\.isFinite), zip(edges, edges.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw CatalogError(.invalidValue, "\(path): the edges of a histogram have to be finite and ascend")
        }
        try writeRethrowing { database in
            let latentCount = try Int.fetchOne(
                database, sql: "SELECT n_latents FROM dictionary WHERE dictionary_id = ?",
                arguments: [indexing.dictionaryID])
            guard let latentCount else {
                throw CatalogError(.notFound, "\(path): no dictionary \(indexing.dictionaryID)")
            }
            if replacing {
                try database.execute(
                    sql: "DELETE FROM indexing WHERE dictionary_id = ?", arguments: [indexing.dictionaryID])
            } else if try self.indexing(dictionaryID: indexing.dictionaryID) != nil {
                throw CatalogError(
                    .exists,
                    "\(path): dictionary \(indexing.dictionaryID) is indexed already; say so if that is to be replaced")
            }
            try database.execute(
                sql: """
                    INSERT INTO indexing (dictionary_id, run_id, corpus_id, n_tokens, n_documents, histogram_edges)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    indexing.dictionaryID, indexing.runID, indexing.corpusID, indexing.tokenCount,
                    indexing.documentCount, Self.json(edges),
                ])
            let writer = try CatalogIndexWriter(catalog: self, database: database, indexing: indexing)
            try body(writer)
            try writer.finish(latentCount: latentCount)
        }
    }

    /// What a dictionary's feature statistics were gathered from; nil if it is not indexed.
    public func indexing(dictionaryID: Int64) throws(CatalogError) -> IndexingRecord? {
        try read { database in
            try Row.fetchOne(
                database,
                sql: """
                    SELECT dictionary_id, run_id, corpus_id, n_tokens, n_documents, histogram_edges
                    FROM indexing WHERE dictionary_id = ?
                    """,
                arguments: [dictionaryID]
            ).map { row in
                try IndexingRecord(
                    dictionaryID: row.value(0), runID: row.value(1), corpusID: row.value(2), tokenCount: row.value(3),
                    documentCount: row.value(4), histogramEdges: numbers(row.value(5), "indexing.histogram_edges"))
            }
        }
    }
}
