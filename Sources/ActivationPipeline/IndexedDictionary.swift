package import FeatureCatalog

/// A dictionary together with one of its indexes.
package struct IndexedDictionary: Sendable {
    /// The dictionary's row.
    package let record: DictionaryRecord
    /// The index's row.
    package let indexing: IndexingRecord
    /// The corpus's name.
    package let corpus: String

    /// The key of the index: dictionary and corpus.
    package var key: IndexingKey { indexing.key }

    /// Finds a dictionary by name or number, or the last one added, and one of its indexes.
    ///
    /// - Parameter corpus: the corpus's name or number; nil takes the one indexed last.
    /// - Throws: `CatalogError` where there is none, `WorkflowError.refused` if it has not been indexed on it.
    package init(named name: String?, corpus: String? = nil, in catalog: Catalog) throws {
        try self.init(try StoredDictionary.record(named: name, in: catalog), corpus: corpus, in: catalog)
    }

    /// Finds an index of a dictionary.
    package init(_ record: DictionaryRecord, corpus name: String?, in catalog: Catalog) throws {
        let indexings = try catalog.indexings(dictionaryID: record.dictionaryID)
        guard let last = indexings.last else {
            throw WorkflowError.refused(
                "\(catalog.path): dictionary \"\(record.name)\" has no statistics yet; run 'routesae index' first")
        }

        let corpora = try catalog.corpora().filter { corpus in
            indexings.contains { $0.key.corpusID == corpus.corpusID }
        }

        let wanted = corpora.filter { $0.name == name || name == "\($0.corpusID)" }
        if let name {
            guard !wanted.isEmpty else {
                let names = corpora.map { "\"\($0.name)\"" }.joined(separator: ", ")
                throw WorkflowError.refused(
                    "\(catalog.path): dictionary \"\(record.name)\" is not indexed on a corpus \"\(name)\"; it is on \(names)"
                )
            }
            guard wanted.count == 1 else {
                let numbers = wanted.map { "\($0.corpusID)" }.joined(separator: ", ")
                throw WorkflowError.refused(
                    "\(catalog.path): several corpora are called \"\(name)\"; name one by its number: \(numbers)")
            }
        }

        let chosen = wanted.first?.corpusID ?? last.key.corpusID
        self.record = record
        indexing = indexings.last { $0.key.corpusID == chosen } ?? last
        corpus = corpora.first { $0.corpusID == chosen }?.name ?? ""
    }
}
