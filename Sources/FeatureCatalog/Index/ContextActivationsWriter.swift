import GRDB

/// Writes the blobs of `context_activations`, for which it trains a zstd dictionary where the catalog has none: the
/// first blobs wait until there are enough to learn from.
final class ContextActivationsWriter {
    static let purpose = "context_activations.values"

    /// Bytes to learn from; with less than a fiftieth of them, a dictionary would cost more than it saves.
    private static let trainingByteCount = 1 << 20
    /// The largest dictionary.
    private static let capacity = 8192

    private let catalog: Catalog
    private let database: Database
    private let key: IndexingKey
    private let insert: BulkInsert
    private var dictionary: ZstdDictionary?
    private var isTrained: Bool
    private var waiting: [(feature: Int, count: Int, content: [UInt8])] = []
    private var waitingByteCount = 0

    init(catalog: Catalog, database: Database, key: IndexingKey) throws {
        self.catalog = catalog
        self.database = database
        self.key = key
        dictionary = try catalog.zstdDictionary(for: Self.purpose, database)
        isTrained = dictionary != nil
        insert = try BulkInsert(
            database, path: catalog.path,
            sql: """
                INSERT INTO context_activations (dictionary_id, feature_index, corpus_id, n_contexts, "values")
                VALUES (?, ?, ?, ?, ?)
                """)
    }

    /// Writes what ``ContextActivations/encode(_:)`` gave, now or later.
    func write(_ content: [UInt8], _ count: Int, of feature: Int) throws {
        guard !isTrained else { return try store(content, count, of: feature) }
        waiting.append((feature, count, content))
        waitingByteCount += content.count
        if waitingByteCount >= Self.trainingByteCount { try train() }
    }

    /// Writes what is waiting.
    func finish() throws {
        if !isTrained { try train() }
    }

    private func train() throws {
        isTrained = true
        let capacity = min(Self.capacity, waitingByteCount / 50)
        if capacity >= 512, let trained = ZstdDictionary.trained(on: waiting.map(\.content), capacity: capacity) {
            try catalog.add(trained, for: Self.purpose, database)
            dictionary = trained
        }
        for blob in waiting { try store(blob.content, blob.count, of: blob.feature) }
        waiting = []
    }

    private func store(_ content: [UInt8], _ count: Int, of feature: Int) throws {
        let frame: [UInt8]
        do { frame = try Zstd.compress(content, dictionary: dictionary) } catch {
            throw CatalogError(.failed, "\(catalog.path): \(error)")
        }
        insert.bind(1, key.dictionaryID)
        insert.bind(2, feature)
        insert.bind(3, key.corpusID)
        insert.bind(4, count)
        insert.bind(5, frame)
        try insert.run()
    }
}
