import FeatureCatalog
import Workflows

/// A dictionary whose features have been looked at on text.
struct IndexedDictionary {
    /// Its row.
    let record: DictionaryRecord
    /// What its features' statistics were gathered from.
    let indexing: IndexingRecord

    /// Finds a dictionary by name or number, or the last one added.
    ///
    /// - Throws: `CatalogError` where there is none, `WorkflowError.refused` if it has not been indexed.
    init(named name: String?, in catalog: Catalog) throws {
        record = try StoredDictionary.record(named: name, in: catalog)
        guard let indexing = try catalog.indexing(dictionaryID: record.dictionaryID) else {
            throw WorkflowError.refused(
                "\(catalog.path): dictionary \"\(record.name)\" has no statistics yet; run 'routesae index' first")
        }
        self.indexing = indexing
    }
}
