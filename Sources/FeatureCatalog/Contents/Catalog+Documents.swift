import GRDB

extension Catalog {
    /// Adds a corpus, or finds it: one of the same model, text and name is not added again.
    ///
    /// - Returns: Its key.
    package func addCorpus(_ corpus: CorpusRecord) throws(CatalogError) -> Int64 {
        try write { database in
            let known = try Int64.fetchOne(
                database,
                sql: "SELECT corpus_id FROM corpus WHERE language_model_id = ? AND sha256 = ? AND name = ?",
                arguments: [corpus.languageModelID, corpus.sha256, corpus.name])
            if let known { return known }
            try database.execute(
                sql: "INSERT INTO corpus (language_model_id, name, source, sha256) VALUES (?, ?, ?, ?)",
                arguments: [corpus.languageModelID, corpus.name, corpus.source, corpus.sha256])
            return database.lastInsertedRowID
        }
    }

    /// All corpora, in the order in which they were added.
    package func corpora() throws(CatalogError) -> [CorpusRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT corpus_id, language_model_id, name, source, sha256 FROM corpus ORDER BY corpus_id"
            ).map { row in
                try CorpusRecord(
                    corpusID: row.value(0), languageModelID: row.value(1), name: row.value(2), source: row.value(3),
                    sha256: row.value(4))
            }
        }
    }

    /// Adds documents to a corpus, or finds them: one of the same ordinal, text and length is not added again.
    ///
    /// - Returns: Their keys, in the order given.
    /// - Throws: ``CatalogError`` `.invalidValue` if the ordinal is taken by another document.
    package func addDocuments(corpusID: Int64, _ documents: [DocumentRecord]) throws(CatalogError) -> [Int64] {
        try write { database in
            let known = try database.makeStatement(
                sql: """
                    SELECT document_id FROM document
                    WHERE corpus_id = ? AND ordinal = ? AND sha256 = ? AND n_tokens = ?
                    """)
            let insert = try database.makeStatement(
                sql: """
                    INSERT INTO document (corpus_id, ordinal, title, source, n_tokens, sha256, token_ids, is_shuffled)
                    VALUES (?, ?, ?, ?, ?, ?, ?, 1)
                    """)
            return try documents.map { document in
                let count = document.tokenIDs.count
                guard count <= TokenIDs.maximumCount else {
                    throw CatalogError(.invalidValue, "\(path): document \(document.ordinal) has \(count) tokens")
                }

                let identity: StatementArguments = [corpusID, document.ordinal, document.sha256, count]
                if let documentID = try Int64.fetchOne(known, arguments: identity) { return documentID }
                let tokenIDs = try frame { () throws(Zstd.Failure) in try TokenIDs.encode(document.tokenIDs) }
                try insert.execute(arguments: [
                    corpusID, document.ordinal, document.title.map(Self.storable),
                    document.source.map(Self.storable), count,
                    document.sha256, tokenIDs,
                ])
                return database.lastInsertedRowID
            }
        }
    }

    /// The keys of a corpus's documents, by ordinal.
    package func documentIDs(corpusID: Int64) throws(CatalogError) -> [Int64] {
        try read { database in
            try Int64.fetchAll(
                database, sql: "SELECT document_id FROM document WHERE corpus_id = ? ORDER BY ordinal",
                arguments: [corpusID])
        }
    }

    /// One document with its token ids.
    ///
    /// - Throws: ``CatalogError`` `.notFound`, or `.damaged` if the ids' blob does not hold.
    package func document(_ documentID: Int64) throws(CatalogError) -> DocumentRecord {
        try read { database in
            let row = try Row.fetchOne(
                database,
                sql: """
                    SELECT document_id, ordinal, title, source, token_ids, n_tokens, sha256, is_shuffled
                    FROM document WHERE document_id = ?
                    """,
                arguments: [documentID])
            guard let row else { throw CatalogError(.notFound, "\(path): no document \(documentID)") }
            let bytes = try row.bytes(4)
            let count: Int = try row.value(5)
            let isShuffled: Bool = try row.value(7)
            let tokenIDs = try blob("token_ids of document \(documentID)") { () throws(Zstd.Failure) in
                try TokenIDs.decode(bytes, count: count, isShuffled: isShuffled)
            }
            return try DocumentRecord(
                documentID: row.value(0), ordinal: row.number(1), title: row.value(2), source: row.value(3),
                tokenIDs: tokenIDs, sha256: row.value(6))
        }
    }

    /// One more than the last place of a document in a corpus; 0 where it has none.
    package func documentPlaceCount(corpusID: Int64) throws(CatalogError) -> Int {
        let last = try read { database in
            try Int.fetchOne(
                database, sql: "SELECT max(ordinal) FROM document WHERE corpus_id = ?", arguments: [corpusID])
        }
        guard let last else { return 0 }
        guard (0..<Int.max / 2).contains(last) else {
            throw CatalogError(.damaged, "\(path): a document's place is \(last)")
        }
        return last + 1
    }
}
