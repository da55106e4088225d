import GRDB

/// One pass of verification.
struct CatalogInspection {
    let catalog: Catalog
    let database: Database
    let limit: Int
    private(set) var problems: [VerificationProblem] = []

    init(catalog: Catalog, database: Database, limit: Int) {
        self.catalog = catalog
        self.database = database
        self.limit = limit
    }

    mutating func add(_ place: String, _ reason: String) {
        if problems.count < limit { problems.append(VerificationProblem(place: place, reason: reason)) }
    }

    mutating func run() throws {
        try checkPages()
        // In a file whose pages do not hold together nothing else can be believed.
        guard problems.isEmpty else { return }
        try checkReferences()
        try checkJSON()
        try checkDocuments()
        try checkTensors()
        try checkContexts()
        try checkScores()
        try checkDerivedColumns()
    }

    private mutating func checkPages() throws {
        let lines = try String.fetchAll(database, sql: "PRAGMA integrity_check(\(limit))")
        for line in lines where line != "ok" { add("file", line) }
    }

    private mutating func checkReferences() throws {
        for row in try Row.fetchAll(database, sql: "PRAGMA foreign_key_check").prefix(limit) {
            let table: String = try row.value(0)
            let parent: String = try row.value(2)
            add(table, "a row refers to one that is not in \(parent)")
        }
    }

    private mutating func checkJSON() throws {
        let columns = [
            ("run", "config"), ("language_model", "config"), ("dictionary", "config"), ("dictionary", "layers"),
            ("dictionary_tensor", "shape"), ("indexing", "histogram_edges"), ("feature", "histogram"),
            ("explanation", "detail"), ("score", "metrics"), ("intervention", "detail"),
        ]
        for (table, column) in columns {
            let count = try Int.fetchOne(
                database, sql: "SELECT count(*) FROM \(table) WHERE \(column) IS NOT NULL AND NOT json_valid(\(column))"
            )
            if let count, count > 0 { add("\(table).\(column)", "\(count) rows are not JSON") }
        }
    }

    private mutating func checkDocuments() throws {
        let rows = try Row.fetchCursor(database, sql: "SELECT document_id, token_ids, n_tokens FROM document")
        while let row = try rows.next() {
            let frame = try row.bytes(1)
            let count: Int = try row.value(2)
            do { _ = try TokenIDs.decode(frame, count: count) } catch {
                add("document \(try row.value(0) as Int64)", "token_ids: \(error)")
            }
        }
    }

    private mutating func checkTensors() throws {
        let rows = try Row.fetchAll(
            database, sql: "SELECT dictionary_id, name FROM dictionary_tensor ORDER BY dictionary_id, name")
        for row in rows {
            let dictionaryID: Int64 = try row.value(0)
            let name: String = try row.value(1)
            let place = "tensor \(name) of dictionary \(dictionaryID)"
            do {
                let tensor = try catalog.storedTensor(dictionaryID: dictionaryID, name: name, database)
                var digest = SHA256Digest()
                try catalog.forEachChunk(of: tensor, rows: 0..<tensor.shape.rowCount, database) { _, bytes in
                    digest.update(bytes)
                }
                if digest.hexadecimal() != tensor.sha256 { add(place, "the values do not match their SHA-256") }
            } catch let error as CatalogError {
                add(place, error.message)
            }
        }
    }

    private mutating func checkContexts() throws {
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT context_id, activations, window_length, token_position - window_start, activation FROM context
                """)
        while let row = try rows.next() {
            let contextID: Int64 = try row.value(0)
            let frame = try row.bytes(1)
            let length: Int = try row.value(2)
            do {
                let activations = try SparseActivations.decode(frame, windowLength: length)
                let peak: Int = try row.value(3)
                let activation: Float = try row.value(4)
                guard activations.indices.contains(peak), activations[peak] == activation else {
                    add("context \(contextID)", "its activation is not that of the peak token in its window")
                    continue
                }
            } catch let error as Zstd.Failure {
                add("context \(contextID)", "activations: \(error)")
            }
        }
    }

    private mutating func checkScores() throws {
        let rows = try Row.fetchCursor(database, sql: "SELECT score_id, detail FROM score WHERE detail IS NOT NULL")
        while let row = try rows.next() {
            let frame = try row.bytes(1)
            do { _ = try Zstd.decompress(frame, limit: Catalog.maximumDetailByteCount) } catch {
                add("score \(try row.value(0) as Int64)", "detail: \(error)")
            }
        }
    }

    private mutating func checkDerivedColumns() throws {
        for dictionaryID in try Int64.fetchAll(database, sql: "SELECT dictionary_id FROM indexing") {
            let derived = try DerivedColumns.derive(dictionaryID: dictionaryID, database)
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT feature_index, peak_layer, peak_layer_share, layer_entropy, top_token, firing_rate,
                        CAST(n_fired AS REAL) / max(1, (SELECT n_tokens FROM indexing WHERE dictionary_id = ?1))
                    FROM feature WHERE dictionary_id = ?1
                    """,
                arguments: [dictionaryID])
            while let row = try rows.next() {
                let featureIndex: Int = try row.value(0)
                let stored = try DerivedColumns.Values(
                    peakLayer: row.value(1), peakLayerShare: row.value(2), layerEntropy: row.value(3),
                    topToken: row.value(4))
                let rates: (Double, Double) = (try row.value(5), try row.value(6))
                let expected = derived[featureIndex] ?? DerivedColumns.Values()
                if !stored.agrees(with: expected) || rates.0 != rates.1 {
                    add(
                        "feature \(featureIndex) of dictionary \(dictionaryID)",
                        "its rate, layers or top token do not follow from its firings")
                }
            }
        }
    }
}
