import GRDB
import Vocabulary

/// Runs, models, texts and dictionaries: everything that indexes depend on.
extension CatalogCopy {
    func copyRuns(_ from: Database, _ to: Database) throws {
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

    func copyModels(_ from: Database, _ to: Database) throws {
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
    func checkTokenizers(_ model: LanguageModelRecord, _ known: LanguageModelRecord) throws {
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

    func copyTexts(_ from: Database, _ to: Database) throws {
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
    func copyDocument(_ key: Int64, corpus: Int64, offset: Int, _ from: Database) throws {
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

    func copyDictionaries(_ from: Database, _ to: Database) throws {
        let known = try target.dictionaries()
        for dictionary in try source.dictionaries() {
            let tensors = try source.tensors(dictionaryID: dictionary.dictionaryID)
            // The same weights are the same dictionary under any name.
            let same = try known.first {
                try $0.computesAs(dictionary)
                    && target.tensors(dictionaryID: $0.dictionaryID) == tensors
            }
            if let same {
                dictionaries[dictionary.dictionaryID] = same.dictionaryID
                continue
            }

            let name = try target.freeDictionaryName(dictionary.name)
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
                rules: dictionary.rules, activationThreshold: dictionary.activationThreshold,
                relativeThreshold: dictionary.relativeThreshold,
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
            try self.copy(
                "feature_logit_histogram", "dictionary_id = \(sourceID)", from, to,
                mapping: ["dictionary_id": dictionaries])
        }
    }
}
