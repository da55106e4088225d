import GRDB
package import Vocabulary

/// Copies the contents of one catalog into another, under new keys: the basis of merging and packing.
///
/// Things that the target already has (by uuid, digest or name) are reused. Rows pass the target's
/// constraints, tensors and documents their decoders; all other rows are checked by the source's digests
/// (``Catalog/refuseChangedRows()``).
package final class CatalogCopy {
    /// What is left out or reduced.
    package struct Selection {
        /// Bands of contexts that are kept.
        package var bands = Set(ContextBand.allCases)
        /// Contexts of each band that are kept, by rank; nil for all.
        package var contextLimit: Int?
        /// How f32 tensors are stored; nil as they are.
        package var tensorType: DictionaryTensor.DataType?
        /// Ranks of promoted and suppressed tokens, nearest and co-firing features that are kept; nil for all.
        package var listLimit: Int?
        /// Whether text that no context shows is left out.
        package var dropsText = false
        /// Indexes that are copied; nil for all.
        package var indexes: Set<IndexingKey>?
        /// Explanations and scores of this and later runs are left out; nil copies all.
        package var resultsBefore: Int64?
        /// Exchanges archived later than this (UTC, ISO 8601) are left out; nil copies all.
        package var exchangesUntil: String?
        /// Corpora of the source whose documents become part of a corpus of the target, from an offset on.
        package var places: [Int64: (corpusID: Int64, offset: Int)] = [:]

        package init() {}

        var dropsContexts: Bool { bands.count < ContextBand.allCases.count || contextLimit != nil }
    }

    package let source: Catalog
    package let target: Catalog
    let selection: Selection
    /// Told what is not copied unchanged, a line each.
    let remark: (String) -> Void

    package private(set) var runs: [Int64: Int64] = [:]
    private var models: [Int64: Int64] = [:]
    package private(set) var corpora: [Int64: Int64] = [:]
    package private(set) var documents: [Int64: Int64] = [:]
    package private(set) var passages: [Int64: Int64] = [:]
    package private(set) var dictionaries: [Int64: Int64] = [:]
    private var explanations: [Int64: Int64] = [:]
    /// Dictionaries added to the target.
    private var newDictionaries: [Int64] = []

    package init(
        from source: Catalog, to target: Catalog, selection: Selection = Selection(),
        remark: @escaping (String) -> Void = { _ in }
    ) {
        self.source = source
        self.target = target
        self.selection = selection
        self.remark = remark
    }

    /// Copies everything but indexes and their dependent rows.
    package func copyOrigins() throws {
        try source.read { from in
            try target.write { to in
                try copyRuns(from, to)
                try copyModels(from, to)
                try copyTexts(from, to)
                try copyDictionaries(from, to)
            }
        }
    }

    /// Copies indexes with their explanations and scores.
    ///
    /// - Parameter progress: Told how many of how many features are done.
    package func copyIndexes(progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws {
        try source.read { from in
            try target.write { to in
                let keys = try indexKeys(from, to)
                let total = try keys.reduce(0) { try $0 + source.dictionary($1.from.dictionaryID).latentCount }
                var done = 0
                for key in keys {
                    try copyIndex(key.from, key.to, from, to) { progress(done + $0, total) }
                    done += try source.dictionary(key.from.dictionaryID).latentCount
                }
                try copyResults(keys, from, to)
                try Catalog.analyze(to)
            }
        }
    }

    private func copyRuns(_ from: Database, _ to: Database) throws {
        let known = try Dictionary(
            Row.fetchAll(to, sql: "SELECT uuid, run_id FROM run").map {
                (try $0.value(0) as String, try $0.value(1) as Int64)
            }, uniquingKeysWith: { first, _ in first })
        for row in try Row.fetchAll(from, sql: "SELECT run_id, uuid FROM run ORDER BY run_id") {
            let runID: Int64 = try row.value(0)
            let uuid: String = try row.value(1)
            if let same = known[uuid] {
                runs[runID] = same
                continue
            }
            try copy("run", "run_id = \(runID)", from, to, key: "run_id")
            runs[runID] = to.lastInsertedRowID
            // A copy cannot be running, whatever the original does.
            try to.execute(
                sql: """
                    UPDATE run SET status = 'interrupted', finished_at = ?, error = 'copied while it was running'
                    WHERE run_id = ? AND status = 'running'
                    """,
                arguments: [Timestamp.now(), to.lastInsertedRowID])
            for table in ["run_input", "run_metric"] {
                try copy(table, "run_id = \(runID)", from, to, mapping: ["run_id": runs])
            }
        }
    }

    private func copyModels(_ from: Database, _ to: Database) throws {
        for model in try source.languageModels() {
            let known = try target.languageModels().first { $0.sha256 == model.sha256 && $0.name == model.name }
            if let known { try checkTokenizers(model, known) }
            let isNew = known == nil
            models[model.languageModelID] = try target.addLanguageModel(model)
            guard isNew else { continue }
            try copy(
                "token", "language_model_id = \(model.languageModelID)", from, to,
                mapping: ["language_model_id": models])
        }
    }

    /// Refuses to combine texts tokenized by different tokenizers of one model.
    private func checkTokenizers(_ model: LanguageModelRecord, _ known: LanguageModelRecord) throws {
        guard let one = model.tokenizerSHA256, let other = known.tokenizerSHA256, one != other else { return }
        let theirs = try source.tokens(languageModelID: model.languageModelID)
        let ours = try target.tokens(languageModelID: known.languageModelID)
        guard !theirs.isEmpty, !ours.isEmpty else { return }
        let different = zip(theirs, ours).first { $0 != $1 }?.0.tokenID
        guard let token = different ?? (theirs.count == ours.count ? nil : min(theirs.count, ours.count)) else {
            return
        }
        throw CatalogError(
            .refused,
            "\(source.path): model \(model.name) has another tokenizer there (from token \(token) on) than in what it is "
                + "merged with")
    }

    private func copyTexts(_ from: Database, _ to: Database) throws {
        for corpus in try source.corpora() {
            let place = selection.places[corpus.corpusID]
            corpora[corpus.corpusID] =
                try place?.corpusID
                ?? target.addCorpus(
                    CorpusRecord(
                        languageModelID: try mapped(corpus.languageModelID, models, "language model"),
                        name: corpus.name, source: corpus.source, sha256: corpus.sha256))
            let shown = """
                SELECT document_id FROM passage JOIN feature_context USING (passage_id) WHERE \(contextFilter)
                """
            let condition = selection.dropsText ? "AND document_id IN (\(shown))" : ""
            let keys = try Int64.fetchAll(
                from,
                sql: "SELECT document_id FROM document WHERE corpus_id = ? \(condition) ORDER BY ordinal",
                arguments: [corpus.corpusID])
            for key in keys {
                try copyDocument(
                    key, corpus: try mapped(corpus.corpusID, corpora, "corpus"), offset: place?.offset ?? 0, from)
            }
        }
    }

    /// Copies a document and its passages.
    ///
    /// - Parameter offset: Added to its number in the corpus.
    private func copyDocument(_ key: Int64, corpus: Int64, offset: Int, _ from: Database) throws {
        let document = try source.document(key)
        let record = DocumentRecord(
            ordinal: document.ordinal + offset, title: document.title, source: document.source,
            tokenIDs: document.tokenIDs, sha256: document.sha256)
        let copy = try target.addDocuments(corpusID: corpus, [record])[0]
        documents[key] = copy
        let all = try source.passages(documentID: key)
        let kept =
            selection.dropsText
            ? try Set(
                Int64.fetchAll(
                    from,
                    sql: """
                        SELECT passage_id FROM passage AS p WHERE document_id = ? AND EXISTS (
                            SELECT 1 FROM feature_context AS c WHERE c.passage_id = p.passage_id AND \(contextFilter))
                        """,
                    arguments: [key])) : nil
        for passage in all where kept?.contains(passage.passageID) ?? true {
            passages[passage.passageID] = try target.addPassages([
                PassageRecord(
                    documentID: copy, segment: passage.segment, firstToken: passage.firstToken, text: passage.text)
            ])[0]
        }
    }

    private func copyDictionaries(_ from: Database, _ to: Database) throws {
        let known = try target.dictionaries()
        for dictionary in try source.dictionaries() {
            let tensors = try source.tensors(dictionaryID: dictionary.dictionaryID)
            // The same weights are the same dictionary under any name.
            let same = try known.first {
                try $0.architecture == dictionary.architecture && $0.layers == dictionary.layers
                    && target.tensors(dictionaryID: $0.dictionaryID) == tensors
            }
            if let same {
                dictionaries[dictionary.dictionaryID] = same.dictionaryID
                continue
            }

            var name = dictionary.name
            var number = 2
            while known.contains(where: { $0.name == name }) {
                name = "\(dictionary.name)-\(number)"
                number += 1
            }
            if name != dictionary.name {
                remark(
                    "\(source.path): dictionary \"\(dictionary.name)\" becomes \"\(name)\": there is another of its name"
                )
            }

            let copy = DictionaryRecord(
                runID: try mapped(dictionary.runID, runs, "run"),
                languageModelID: try dictionary.languageModelID.map { try mapped($0, models, "language model") },
                name: name, architecture: dictionary.architecture, dModel: dictionary.dModel,
                latentCount: dictionary.latentCount, k: dictionary.k, layers: dictionary.layers,
                aggregation: dictionary.aggregation, routing: dictionary.routing, fidelity: dictionary.fidelity,
                activationThreshold: dictionary.activationThreshold, relativeThreshold: dictionary.relativeThreshold,
                configJSON: dictionary.configJSON, trainedTokenCount: dictionary.trainedTokenCount)
            let sourceID = dictionary.dictionaryID
            dictionaries[sourceID] = try target.addDictionary(
                copy,
                tensors: tensors.map { tensor in
                    let type = tensor.dataType == .f32 ? selection.tensorType ?? .f32 : tensor.dataType
                    return DictionaryTensor(name: tensor.name, dataType: type, shape: tensor.shape) { [source] rows in
                        try source.readTensorRows(dictionaryID: sourceID, name: tensor.name, rows: rows)
                    }
                })
            newDictionaries.append(sourceID)
            for table in ["feature_logit", "feature_neighbor"] {
                try self.copy(
                    table, "dictionary_id = \(sourceID) AND \(listFilter)", from, to,
                    mapping: ["dictionary_id": dictionaries])
            }
        }
    }

    /// The target's key for a row of the source.
    func mapped(_ key: Int64, _ mapping: [Int64: Int64], _ what: String) throws -> Int64 {
        guard let copy = mapping[key] else {
            throw CatalogError(.damaged, "\(source.path): refers to \(what) \(key), which is not there")
        }
        return copy
    }

    /// A condition on the rows of `feature_context` that are kept.
    var contextFilter: String {
        let bands = selection.bands.map(\.code).sorted().map(String.init).joined(separator: ", ")
        return "band IN (\(bands))" + (selection.contextLimit.map { " AND rank < \($0)" } ?? "")
    }

    /// A condition on the rows of ranked lists that are kept.
    private var listFilter: String { selection.listLimit.map { "rank < \($0)" } ?? "TRUE" }

    /// Copies rows, changing only keys.
    ///
    /// - Parameters:
    ///   - key: A column whose value the target chooses.
    ///   - mapping: New values by column; NULLs stay.
    ///   - isWanted: Whether the row with a key is copied, where there is a `key`.
    ///   - note: Told the key of each copied row, if there is a `key`; the target has the new one.
    func copy(
        _ table: String, _ condition: String, _ from: Database, _ to: Database, key: String? = nil,
        mapping: [String: [Int64: Int64]] = [:], where isWanted: (_ key: Int64) -> Bool = { _ in true },
        note: (_ key: Int64) -> Void = { _ in }
    ) throws {
        let all = try Row.fetchAll(
            from, sql: "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", arguments: [table])
        let columns = try all.map { try $0.value(0) as String }.filter { $0 != key }
        let names = columns.map { "\"\($0)\"" }.joined(separator: ", ")
        let places = columns.map { _ in "?" }.joined(separator: ", ")
        let maps = columns.map { mapping[$0] }
        let insert = try BulkInsert(to, path: target.path, sql: "INSERT INTO \(table) (\(names)) VALUES (\(places))")
        let last = key.map { ", \"\($0)\"" } ?? ""
        let rows = try Row.fetchCursor(from, sql: "SELECT \(names)\(last) FROM \(table) WHERE \(condition)")
        while let row = try rows.next() {
            let old: Int64? = key == nil ? nil : try row.value(columns.count)
            if let old, !isWanted(old) { continue }
            for (index, map) in maps.enumerated() {
                let value = row[index] as DatabaseValue
                if let map, case .int64(let old) = value.storage {
                    insert.bind(Int32(index + 1), try mapped(old, map, "\(table).\(columns[index])"))
                } else {
                    insert.bind(Int32(index + 1), value)
                }
            }
            try insert.run()
            if let old { note(old) }
        }
    }

    private func indexKeys(_ from: Database, _ to: Database) throws -> [(from: IndexingKey, to: IndexingKey)] {
        var keys: [(from: IndexingKey, to: IndexingKey)] = []
        for dictionary in try source.dictionaries() {
            for indexing in try source.indexings(dictionaryID: dictionary.dictionaryID)
            where selection.indexes?.contains(indexing.key) ?? true {
                let key = IndexingKey(
                    dictionaryID: try mapped(dictionary.dictionaryID, dictionaries, "dictionary"),
                    corpusID: try mapped(indexing.key.corpusID, corpora, "corpus"))
                if try target.indexing(key) != nil {
                    remark(
                        "\(source.path): \"\(dictionary.name)\" is indexed on the same corpus already; that index stays"
                    )
                } else {
                    keys.append((indexing.key, key))
                }
            }
        }
        return keys
    }

    private func copyIndex(
        _ key: IndexingKey, _ copyKey: IndexingKey, _ from: Database, _ to: Database, progress: (Int) -> Void
    ) throws {
        let condition = "dictionary_id = \(key.dictionaryID) AND corpus_id = \(key.corpusID)"
        let mapping = [
            "dictionary_id": dictionaries, "corpus_id": corpora, "run_id": runs, "passage_id": passages,
        ]
        try copy("indexing", condition, from, to, mapping: mapping)
        // Explanations come later, and with them the columns copied from them.
        try copy("feature", condition, from, to, mapping: mapping)
        try to.execute(
            sql: """
                UPDATE feature SET explanation_id = NULL, simulation_score = NULL, simulation_baseline = NULL,
                    detection_score = NULL, fuzzing_score = NULL, rubric_score = NULL
                WHERE dictionary_id = ? AND corpus_id = ? AND (explanation_id IS NOT NULL OR rubric_score IS NOT NULL)
                """,
            arguments: [copyKey.dictionaryID, copyKey.corpusID])
        for table in ["feature_layer", "feature_token"] { try copy(table, condition, from, to, mapping: mapping) }
        try copy("feature_cofiring", "\(condition) AND \(listFilter)", from, to, mapping: mapping)
        try copy("feature_context", "\(condition) AND \(contextFilter)", from, to, mapping: mapping)
        progress(try source.dictionary(key.dictionaryID).latentCount)
        if selection.dropsContexts {
            try to.execute(
                sql: """
                    UPDATE indexing SET n_contexts = (
                        SELECT count(*) FROM feature_context AS c
                        WHERE c.dictionary_id = indexing.dictionary_id AND c.corpus_id = indexing.corpus_id)
                    WHERE dictionary_id = ? AND corpus_id = ?
                    """,
                arguments: [copyKey.dictionaryID, copyKey.corpusID])
        }
    }

    private func copyResults(_ keys: [(from: IndexingKey, to: IndexingKey)], _ from: Database, _ to: Database) throws {
        let mapping = ["dictionary_id": dictionaries, "corpus_id": corpora, "run_id": runs]
        for key in keys {
            let index = "dictionary_id = \(key.from.dictionaryID) AND corpus_id = \(key.from.corpusID)"
            let condition = index + (selection.resultsBefore.map { " AND run_id < \($0)" } ?? "")
            try copy(
                "explanation", "\(condition) ORDER BY explanation_id", from, to, key: "explanation_id",
                mapping: mapping, note: { explanations[$0] = to.lastInsertedRowID })
            try copy(
                "score", "\(condition) ORDER BY score_id", from, to, key: "score_id",
                mapping: mapping.merging(["explanation_id": explanations]) { $1 })
            let runID = try Int64.fetchOne(from, sql: "SELECT run_id FROM indexing WHERE \(index)") ?? 0
            try copyOnce("layer_routing", "dictionary_id = \(key.from.dictionaryID) AND run_id = \(runID)", from, to)
        }
        try copyExchanges(from, to)
        // Rows that depend on a dictionary and no index.
        for id in newDictionaries {
            try copyOnce("layer_routing", "dictionary_id = \(id)", from, to)
            try copy(
                "evaluation", "dictionary_id = \(id)", from, to, key: "evaluation_id", mapping: mapping)
            try copy("intervention", "dictionary_id = \(id)", from, to, key: "intervention_id", mapping: mapping)
            try copyReviews(of: id, from, to)
        }
    }

    /// Rows of `layer_routing` that the target does not have yet.
    private func copyOnce(_ table: String, _ condition: String, _ from: Database, _ to: Database) throws {
        let known = try Set(
            Row.fetchAll(to, sql: "SELECT DISTINCT dictionary_id, run_id FROM layer_routing").map {
                [try $0.value(0) as Int64, try $0.value(1) as Int64]
            })
        for row in try Row.fetchAll(from, sql: "SELECT DISTINCT dictionary_id, run_id FROM \(table) WHERE \(condition)")
        {
            let (dictionary, run): (Int64, Int64) = (try row.value(0), try row.value(1))
            let copy = [try mapped(dictionary, dictionaries, "dictionary"), try mapped(run, runs, "run")]
            guard !known.contains(copy) else { continue }
            try self.copy(
                table, "dictionary_id = \(dictionary) AND run_id = \(run)", from, to,
                mapping: ["dictionary_id": dictionaries, "run_id": runs])
        }
    }

    /// Exchanges that the target does not have yet.
    private func copyExchanges(_ from: Database, _ to: Database) throws {
        let known = try String.fetchSet(to, sql: "SELECT sha256 FROM exchange")
        let condition = selection.exchangesUntil == nil ? "TRUE" : "created_at <= ?1"
        let until = selection.exchangesUntil.map { [$0] } ?? []
        let digests = try Row.fetchAll(
            from, sql: "SELECT exchange_id, sha256 FROM exchange WHERE \(condition)",
            arguments: StatementArguments(until))
        let wanted = try Set(
            digests.compactMap { row -> Int64? in known.contains(try row.value(1)) ? nil : try row.value(0) })
        try copy(
            "exchange", "TRUE ORDER BY exchange_id", from, to, key: "exchange_id", where: { wanted.contains($0) })
    }

    private func copyReviews(of dictionary: Int64, _ from: Database, _ to: Database) throws {
        let rows = try Row.fetchAll(
            from,
            sql: """
                SELECT feature_index, explanation_id, verdict, category, note, reviewer, created_at FROM review
                WHERE dictionary_id = ? ORDER BY review_id
                """,
            arguments: [dictionary])
        for row in rows {
            // A review of an explanation that was left out becomes one of the feature.
            let explanation = (try row.value(1) as Int64?).flatMap { explanations[$0] }
            try to.execute(
                sql: """
                    INSERT INTO review (dictionary_id, feature_index, explanation_id, verdict, category, note, reviewer,
                        created_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    try mapped(dictionary, dictionaries, "dictionary"), row.value(0) as Int64, explanation,
                    row.value(2) as Int, row.value(3) as String?, row.value(4) as String?, row.value(5) as String?,
                    row.value(6) as String,
                ])
        }
    }
}
