import GRDB

/// The part of migration 2 that SQL cannot do: contexts of version 1 had a blob and an excerpt of their own;
/// now they are windows of passages, whose text is joined from the tokens' bytes.
struct ContextTransfer {
    let catalog: Catalog
    let database: Database

    /// Moves the rows of `old_context`.
    ///
    /// - Throws: ``CatalogError`` `.damaged` if a blob is damaged or a context lies outside its document.
    func run() throws {
        let keys = try Row.fetchAll(database, sql: "SELECT dictionary_id, corpus_id FROM indexing").map {
            try IndexingKey(dictionaryID: $0.value(0), corpusID: $0.value(1))
        }
        for key in keys {
            let passages = try addPassages(key)
            try moveContexts(key, passages)
        }
        try database.execute(
            sql: "INSERT INTO feature_verdict SELECT DISTINCT dictionary_id, feature_index, corpus_id FROM explanation")
    }

    /// The largest passage text, bytes; enough for a context of a million tokens.
    private static let maximumTextByteCount = 1 << 26

    private struct Segment: Hashable {
        let document: Int64
        let number: Int

        package init(document: Int64, number: Int) {
            self.document = document
            self.number = number
        }
    }

    private struct Passage {
        let id: Int64
        let first: Int
        let count: Int
    }

    /// Makes a passage of every segment, as far as its contexts show it.
    private func addPassages(_ key: IndexingKey) throws -> [Segment: Passage] {
        let tokens = try TokenBytes(corpusID: key.corpusID, database)
        var passages: [Segment: Passage] = [:]
        var document: (id: Int64, tokens: [Int32])?
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT document_id, segment, min(window_start), max(window_start + window_length) FROM old_context
                WHERE dictionary_id = ? GROUP BY document_id, segment ORDER BY document_id, segment
                """,
            arguments: [key.dictionaryID])
        while let row = try rows.next() {
            let segment = try Segment(document: row.value(0), number: row.value(1))
            let (first, end): (Int, Int) = (try row.value(2), try row.value(3))
            if document?.id != segment.document {
                document = (segment.document, try catalog.document(segment.document).tokenIDs)
            }
            guard let ids = document?.tokens, 0 <= first, first < end, end <= ids.count else {
                throw damaged("a context of document \(segment.document) reaches beyond it")
            }
            // A hostile vocabulary may hold long tokens, repeated many times in a document.
            guard ids[first..<end].reduce(0, { $0 + tokens.bytes(of: $1).count }) <= Self.maximumTextByteCount else {
                throw damaged("the text of a context of document \(segment.document) has no end")
            }

            let text = PassageText(tokenBytes: ids[first..<end].map(tokens.bytes))
            let record = PassageRecord(
                documentID: segment.document, segment: segment.number, firstToken: first, text: text)
            passages[segment] = Passage(id: try catalog.addPassages([record])[0], first: first, count: end - first)
        }
        return passages
    }

    private func moveContexts(_ key: IndexingKey, _ passages: [Segment: Passage]) throws {
        guard let window = try catalog.indexing(key)?.window else { return }
        let insert = try BulkInsert(
            database, path: catalog.path,
            sql: """
                INSERT INTO feature_context (dictionary_id, feature_index, corpus_id, band, rank, passage_id, position,
                    layer, router_weight, activation, split)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        let activations = try BulkInsert(
            database, path: catalog.path,
            sql: """
                INSERT INTO context_activations (dictionary_id, feature_index, corpus_id, n_contexts, "values")
                VALUES (?, ?, ?, ?, ?)
                """)
        var feature = -1
        var windows: [[Float]] = []
        func flush() throws {
            guard !windows.isEmpty else { return }
            activations.bind(1, key.dictionaryID)
            activations.bind(2, feature)
            activations.bind(3, key.corpusID)
            activations.bind(4, windows.count)
            activations.bind(5, try Zstd.compress(FormerActivations.encode(windows)))
            try activations.run()
            windows = []
        }

        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT feature_index, CASE band WHEN 'top' THEN 0 WHEN 'sample' THEN 1 ELSE 2 END AS code, rank,
                    document_id, segment, token_position, window_start, window_length, layer, router_weight, activation,
                    CASE split WHEN 'explain' THEN 0 WHEN 'score' THEN 1 END, activations
                FROM old_context WHERE dictionary_id = ? ORDER BY feature_index, code, rank
                """,
            arguments: [key.dictionaryID])
        while let row = try rows.next() {
            let next: Int = try row.value(0)
            if next != feature {
                try flush()
                feature = next
            }

            let segment = try Segment(document: row.value(3), number: row.value(4))
            let (position, start, length): (Int, Int, Int) = (try row.value(5), try row.value(6), try row.value(7))
            // Part by part, for what a file holds need not be fit for a range, nor for a sum.
            guard let passage = passages[segment], (passage.first..<passage.first + passage.count).contains(position),
                case let expected = ContextWindow.range(
                    around: position - passage.first, in: passage.count, length: min(window, passage.count)),
                start == passage.first + expected.lowerBound, length == expected.count
            else { throw damaged("a context of feature \(feature) in document \(segment.document) has another window") }
            let frame = try row.bytes(12)
            windows.append(
                try catalog.blob("a context of feature \(feature)") { () throws(Zstd.Failure) in
                    try SparseActivations.decode(frame, windowLength: length)
                })
            insert.bind(1, key.dictionaryID)
            insert.bind(2, feature)
            insert.bind(3, key.corpusID)
            insert.bind(4, try row.value(1) as Int)
            insert.bind(5, try row.value(2) as Int)
            insert.bind(6, passage.id)
            insert.bind(7, position - passage.first)
            insert.bind(8, try row.value(8) as Int)
            insert.bind(9, try row.value(9) as Double?)
            insert.bind(10, try row.value(10) as Double?)
            insert.bind(11, try row.value(11) as Int?)
            try insert.run()
        }
        try flush()
    }

    private func damaged(_ reason: String) -> CatalogError {
        CatalogError(.damaged, "\(catalog.path): \(reason)")
    }

    /// The bytes of a corpus's tokens, from its model's vocabulary in the catalog.
    private struct TokenBytes {
        private var known: [Int32: [UInt8]] = [:]

        init(corpusID: Int64, _ database: Database) throws {
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT token_id, text, bytes FROM token
                    WHERE language_model_id = (SELECT language_model_id FROM corpus WHERE corpus_id = ?)
                    """,
                arguments: [corpusID])
            while let row = try rows.next() {
                let text: String = try row.value(1)
                known[try row.value(0)] = try row.optionalBytes(2) ?? Array(text.utf8)
            }
        }

        /// A token missing from the vocabulary becomes U+FFFD.
        func bytes(of token: Int32) -> [UInt8] { known[token] ?? Array("\u{FFFD}".utf8) }
    }
}
