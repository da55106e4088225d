import Foundation
import GRDB
import Synchronization

extension Catalog {
    /// Writes all rows of indexing a dictionary on a corpus, in one transaction: after `body` returns, all
    /// of them are there; if it throws or the process dies, none.
    ///
    /// Memory stays bounded, since SQLite moves what does not fit its cache into the journal. Other calls on this
    /// catalog from within `body` take part in the transaction; those from other threads wait.
    ///
    /// - Parameters:
    ///   - indexing: What is indexed, by which run, over which text.
    ///   - replacing: Whether an earlier index of the dictionary on the same corpus is removed first, with the
    ///     explanations and scores that rest on it.
    ///   - body: Writes the features, one for every latent.
    /// - Throws: ``CatalogError`` `.exists` if there is an index and it may not be replaced, `.notFound` without such a
    ///   dictionary, `.invalidValue`, `.cannotWrite`; and whatever `body` throws.
    package func writeIndex(
        _ indexing: IndexingRecord, replacing: Bool = false, _ body: (CatalogIndexWriter) throws -> Void
    ) throws {
        let edges = indexing.histogramEdges
        guard edges.allSatisfy(\.isFinite), zip(edges, edges.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw CatalogError(.invalidValue, "\(path): the edges of a histogram have to be finite and ascend")
        }

        let key = indexing.key
        do {
            // Replacing an index deletes rows by the million, whose pages should not stay in memory.
            let isNew = try self.indexing(key) == nil
            try keepingUndoInMemory(isNew) { database in
                let latentCount = try dictionary(key.dictionaryID).latentCount
                if replacing {
                    try removeIndex(key, database)
                } else if try self.indexing(key) != nil {
                    throw CatalogError(
                        .exists,
                        "\(path): dictionary \(key.dictionaryID) is indexed on corpus \(key.corpusID) already; "
                            + "say so if that is to be replaced")
                }
                try database.execute(
                    sql: """
                        INSERT INTO indexing (dictionary_id, corpus_id, run_id, n_tokens, n_documents, window,
                            histogram_edges)
                        VALUES (?, ?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        key.dictionaryID, key.corpusID, indexing.runID, indexing.tokenCount, indexing.documentCount,
                        indexing.window, Self.json(edges),
                    ])
                let writer = try CatalogIndexWriter(
                    catalog: self, database: database, indexing: indexing, latentCount: latentCount)
                try body(writer)
                try writer.finish()
                try Self.analyze(database)
            }
        }
    }

    /// As `writeRethrowing`. For statements that may fail, SQLite saves the pages they change in a temporary
    /// file. Inserting a context is one, and keeping its few pages in memory saves a third of the time.
    private func keepingUndoInMemory(_ isWanted: Bool, _ body: (Database) throws -> Void) throws {
        guard isWanted, mode == .readWrite else { return try writeRethrowing(body) }
        try queue.unsafeReentrantWrite { database in
            // It cannot change within a transaction.
            guard !database.isInsideTransaction else { return try writeRethrowing(body) }
            try database.execute(sql: "PRAGMA temp_store = MEMORY")
            defer { try? database.execute(sql: "PRAGMA temp_store = DEFAULT") }
            try writeRethrowing(body)
        }
    }

    /// The index of a dictionary on a corpus; nil if there is none.
    package func indexing(_ key: IndexingKey) throws(CatalogError) -> IndexingRecord? {
        try indexings(dictionaryID: key.dictionaryID).first { $0.key == key }
    }

    /// A dictionary's indexes over all corpora, oldest first.
    package func indexings(dictionaryID: Int64) throws(CatalogError) -> [IndexingRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT dictionary_id, corpus_id, run_id, n_tokens, n_documents, window, histogram_edges
                    FROM indexing WHERE dictionary_id = ? ORDER BY run_id, corpus_id
                    """,
                arguments: [dictionaryID]
            ).map { row in
                try IndexingRecord(
                    key: IndexingKey(dictionaryID: row.value(0), corpusID: row.value(1)), runID: row.value(2),
                    tokenCount: row.tally(3), documentCount: row.tally(4), window: row.number(5),
                    histogramEdges: numbers(row.value(6), "indexing.histogram_edges"))
            }
        }
    }

    /// Deletes an index with all dependent rows, children first: one statement for each table instead of a search
    /// for every row's children.
    func removeIndex(_ key: IndexingKey, _ database: Database) throws {
        let arguments: StatementArguments = [key.dictionaryID, key.corpusID]
        for table in [
            "score", "explanation", "feature_context", "feature_cofiring", "feature_linear_histogram", "feature_token",
            "feature_layer", "feature", "indexing",
        ] {
            try database.execute(
                sql: "DELETE FROM \(table) WHERE dictionary_id = ? AND corpus_id = ?", arguments: arguments)
        }
    }
}
