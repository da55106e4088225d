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
        try checkConstraints()
        try checkReferences()
        try checkJSON()
        try checkDocuments()
        try checkTensors()
        try checkZstdDictionaries()
        try checkPassages()
        try checkPassageTokens()
        try checkSplits()
        let keys = try Row.fetchAll(database, sql: "SELECT dictionary_id, corpus_id FROM indexing").map {
            try IndexingKey(dictionaryID: $0.value(0), corpusID: $0.value(1))
        }
        for key in keys {
            try checkContexts(key)
            try checkDerivedColumns(key)
        }
        try checkScores()
        try checkExchanges()
        try checkVerdicts()
    }

    private mutating func checkPages() throws {
        for table in try checkedTables() {
            let lines = try String.fetchAll(database, sql: "PRAGMA integrity_check(\(table))")
            for line in lines where line != "ok" { add("file", line) }
        }
    }

    /// What to give to SQLite's check: nothing but a limit for the whole file; where others have added to it, the tables
    /// that are ours, since of all others the check works out what their indexes and columns hold.
    private func checkedTables() throws -> [String] {
        guard try SchemaCheck.run(database, path: catalog.path, allowingOlder: false) != nil else { return ["\(limit)"] }
        return ["sqlite_schema"]
            + (try SchemaEntry.own(database).filter { $0.type == "table" && !$0.sql.hasPrefix("CREATE VIRTUAL") }
                .map { "\"\($0.name)\"" })
    }

    private mutating func checkConstraints() throws {
        for entry in try SchemaEntry.own(database) where entry.type == "table" {
            guard let violation = TableChecks(statement: entry.sql).violation else { continue }
            let count = try Int.fetchOne(
                database, sql: "SELECT count(*) FROM \"\(entry.name)\" WHERE \(violation)")
            if let count, count > 0 { add(entry.name, "\(count) rows break its constraints") }
        }
    }

    private mutating func checkReferences() throws {
        for entry in try SchemaEntry.own(database) where entry.type == "table" && problems.count < limit {
            for row in try Row.fetchAll(database, sql: "PRAGMA foreign_key_check(\"\(entry.name)\")").prefix(limit) {
                let table: String = try row.value(0)
                let parent: String = try row.value(2)
                add(table, "a row refers to one that is not in \(parent)")
            }
        }
    }

    private mutating func checkJSON() throws {
        let columns = [
            ("run", "config"), ("language_model", "config"), ("dictionary", "config"), ("dictionary", "layers"),
            ("dictionary_tensor", "shape"), ("indexing", "histogram_edges"), ("feature", "histogram"),
            ("explanation", "detail"), ("packing", "options"), ("score", "metrics"), ("intervention", "detail"),
        ]
        for (table, column) in columns {
            let count = try Int.fetchOne(
                database, sql: "SELECT count(*) FROM \(table) WHERE \(column) IS NOT NULL AND NOT json_valid(\(column))"
            )
            if let count, count > 0 { add("\(table).\(column)", "\(count) rows are not JSON") }
        }
    }

    private mutating func checkDocuments() throws {
        let rows = try Row.fetchCursor(
            database, sql: "SELECT document_id, token_ids, n_tokens, is_shuffled FROM document")
        while let row = try rows.next() {
            let frame = try row.bytes(1)
            let count: Int = try row.value(2)
            let isShuffled: Bool = try row.value(3)
            do { _ = try TokenIDs.decode(frame, count: count, isShuffled: isShuffled) } catch {
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

    /// The zstd dictionaries, and with them everything that needs one.
    private mutating func checkZstdDictionaries() throws {
        for purpose in try String.fetchAll(database, sql: "SELECT purpose FROM zstd_dictionary") {
            do { _ = try catalog.zstdDictionary(for: purpose, database) } catch let error as CatalogError {
                add("zstd_dictionary", error.message)
            }
        }
    }

    private mutating func checkPassages() throws {
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT passage_id, text, token_starts, n_tokens, first_token,
                    (SELECT n_tokens FROM document AS d WHERE d.document_id = passage.document_id)
                FROM passage
                """)
        while let row = try rows.next() {
            let text: String = try row.value(1)
            let starts: String = try row.value(2)
            let (count, first): (Int, Int) = (try row.value(3), try row.value(4))
            let total: Int? = try row.value(5)
            let place = "passage \(try row.value(0) as Int64)"
            let (end, overflow) = first.addingReportingOverflow(count)
            if overflow || end > total ?? Int.max { add(place, "it reaches beyond its document") }
            if !PassageText.isConsistent(decimals: starts, tokenCount: count, length: text.unicodeScalars.count) {
                add(place, "token_starts do not ascend within its text")
            }
        }
    }

    /// Explain and score contexts in passages that overlap: the triggers see to those in one passage.
    private mutating func checkSplits() throws {
        // Nearly always no passage overlaps another, which a walk along their index tells: of any two that do, the first
        // overlaps its neighbour.
        let overlaps = try Bool.fetchOne(
            database,
            sql: """
                SELECT EXISTS (
                    SELECT 1 FROM (
                        SELECT first_token, lag(first_token + n_tokens) OVER (
                            PARTITION BY document_id ORDER BY first_token, n_tokens) AS last_end
                        FROM passage
                    ) WHERE first_token < last_end)
                """)
        guard overlaps == true else { return }
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT x.dictionary_id, x.feature_index, x.corpus_id, x.split, p.document_id, p.first_token, p.n_tokens
                FROM feature_context AS x CROSS JOIN passage AS p ON p.passage_id = x.passage_id
                WHERE x.split IS NOT NULL ORDER BY x.dictionary_id, x.feature_index, x.corpus_id
                """)
        var feature: [Int64] = []
        var stretches: [Stretch] = []
        while let row = try rows.next(), problems.count < limit {
            let next: [Int64] = try [row.value(0), row.value(1), row.value(2)]
            if next != feature {
                checkSplits(&stretches, of: feature)
                feature = next
            }
            stretches.append(
                try Stretch(document: row.value(4), first: row.value(5), count: row.value(6), split: row.value(3)))
        }
        checkSplits(&stretches, of: feature)
    }

    /// The tokens of a context's passage.
    private struct Stretch {
        let document: Int64
        let first: Int
        let count: Int
        let split: Int
    }

    /// Looks at the stretches of one feature, and forgets them.
    private mutating func checkSplits(_ stretches: inout [Stretch], of feature: [Int64]) {
        defer { stretches.removeAll(keepingCapacity: true) }
        var document: Int64?
        // Where the stretches of each split that have been passed end.
        var ends: [Int: Int] = [:]
        for stretch in stretches.sorted(by: { ($0.document, $0.first) < ($1.document, $1.first) }) {
            if stretch.document != document { ends = [:] }
            document = stretch.document
            if ends.contains(where: { $0.key != stretch.split && $0.value > stretch.first }) {
                add(
                    "contexts of feature \(feature[1]) of dictionary \(feature[0])",
                    "explain and score contexts share a stretch of text")
                return
            }
            let (end, overflow) = stretch.first.addingReportingOverflow(stretch.count)
            ends[stretch.split] = max(ends[stretch.split] ?? .min, overflow ? .max : end)
        }
    }

    private mutating func checkContexts(_ key: IndexingKey) throws {
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT feature_index, window_length, token_position - window_start, activation FROM context
                WHERE dictionary_id = ? AND corpus_id = ?
                ORDER BY feature_index, CASE band WHEN 'top' THEN 0 WHEN 'sample' THEN 1 ELSE 2 END, rank
                """,
            arguments: [key.dictionaryID, key.corpusID])
        var feature = -1
        var contexts: [(length: Int, peak: Int, activation: Float)] = []
        while let row = try rows.next() {
            let next: Int = try row.value(0)
            if next != feature {
                checkContexts(contexts, of: feature, key)
                contexts.removeAll(keepingCapacity: true)
                feature = next
            }
            contexts.append((try row.value(1) ?? 0, try row.value(2) ?? -1, try row.value(3)))
        }
        checkContexts(contexts, of: feature, key)
        let miscounted = try Row.fetchAll(
            database,
            sql: """
                SELECT feature_index FROM context_activations AS a
                WHERE dictionary_id = ?1 AND corpus_id = ?2 AND n_contexts <> (
                    SELECT count(*) FROM feature_context AS c
                    WHERE c.dictionary_id = ?1 AND c.corpus_id = ?2 AND c.feature_index = a.feature_index)
                LIMIT \(limit)
                """,
            arguments: [key.dictionaryID, key.corpusID])
        for row in miscounted {
            add(
                "contexts of feature \(try row.value(0) as Int) of dictionary \(key.dictionaryID)",
                "their number is wrong")
        }
    }

    private mutating func checkContexts(
        _ contexts: [(length: Int, peak: Int, activation: Float)], of feature: Int, _ key: IndexingKey
    ) {
        guard !contexts.isEmpty else { return }
        let place = "contexts of feature \(feature) of dictionary \(key.dictionaryID) on corpus \(key.corpusID)"
        do {
            let windows = try catalog.contextActivations(
                key, featureIndex: feature, windowLengths: contexts.map(\.length), database)
            for (context, window) in zip(contexts, windows)
            where !window.indices.contains(context.peak) || window[context.peak] != context.activation {
                add(place, "an activation is not that of the peak token in its window")
                return
            }
        } catch let error as CatalogError {
            add(place, error.message)
        } catch {
            add(place, "\(error)")
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

    private mutating func checkExchanges() throws {
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

    private mutating func checkDerivedColumns(_ key: IndexingKey) throws {
        guard let indexing = try catalog.indexing(key) else { return }
        var totals = (features: 0, alive: 0)
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT feature_index, n_fired, firing_rate, peak_layer, peak_layer_share, layer_entropy, top_token,
                    counted_from, counted_below
                FROM feature WHERE dictionary_id = ? AND corpus_id = ? ORDER BY feature_index
                """,
            arguments: [key.dictionaryID, key.corpusID])
        while let row = try rows.next() {
            let feature: Int = try row.value(0)
            let fired: Int = try row.value(1)
            let place = "feature \(feature) of dictionary \(key.dictionaryID) on corpus \(key.corpusID)"
            let layers = try catalog.featureLayers(key, featureIndex: feature).map { ($0.layer, $0.firedCount) }
            let tokens = try catalog.featureTokens(key, featureIndex: feature)
            var stored = DerivedColumns(layers: [], tokens: [])
            stored.peakLayer = try row.value(3)
            stored.peakLayerShare = try row.value(4)
            stored.layerEntropy = try row.value(5)
            stored.topToken = try row.value(6)
            stored.countedFrom = try row.value(7)
            stored.countedBelow = try row.value(8)
            let rate = Double(fired) / Double(max(1, indexing.tokenCount))
            if try !stored.agrees(with: DerivedColumns(layers: layers, tokens: tokens)) || row.value(2) != rate {
                add(place, "its rate, layers, top token or counting do not follow from its firings")
            }
            totals = (totals.features + 1, totals.alive + (fired > 0 ? 1 : 0))
        }
        let latentCount = try catalog.dictionary(key.dictionaryID).latentCount
        if totals.features != latentCount {
            add("indexing", "dictionary \(key.dictionaryID) has \(latentCount) latents and \(totals.features) features")
        }
        let row = try Row.fetchOne(
            database,
            sql: """
                SELECT n_alive, n_contexts, (
                    SELECT count(*) FROM feature_context AS c
                    WHERE c.dictionary_id = i.dictionary_id AND c.corpus_id = i.corpus_id)
                FROM indexing AS i WHERE dictionary_id = ? AND corpus_id = ?
                """,
            arguments: [key.dictionaryID, key.corpusID])
        guard let row else { return }
        let (alive, contexts, counted): (Int?, Int?, Int) = (try row.value(0), try row.value(1), try row.value(2))
        if alive != totals.alive { add("indexing", "n_alive is \(alive ?? -1), and \(totals.alive) features fired") }
        if contexts != counted { add("indexing", "n_contexts is \(contexts ?? -1), and there are \(counted)") }
    }

    /// What features repeat of their explanations and scores.
    private mutating func checkVerdicts() throws {
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
