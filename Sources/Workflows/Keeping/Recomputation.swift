public import FeatureCatalog
import LanguageModel
public import LinearAlgebra
import SparseCoding
import Tokenization

/// Runs contexts of a catalog through the model again and compares what it says with what comes out.
public struct Recomputation {
    /// How contexts are drawn and compared.
    public struct Settings: Sendable, Equatable {
        /// Model folder.
        public var model: String
        /// Contexts drawn, of every index.
        public var count: Int
        /// Seed of the draw.
        public var seed: UInt64
        /// Differences up to this share of a feature's largest activation are round-off. Sums in the model's products
        /// depend in their last bits on the sizes of the batches they are part of.
        public var tolerance: Double

        /// Makes settings.
        public init(model: String, count: Int, seed: UInt64 = 0, tolerance: Double = 1e-4) {
            self.model = model
            self.count = count
            self.seed = seed
            self.tolerance = tolerance
        }
    }

    /// What came of one index.
    public struct Result: Sendable {
        /// The dictionary's name.
        public let dictionary: String
        /// The corpus's name.
        public let corpus: String
        /// Contexts that were run again.
        public let contextCount: Int
        /// Their tokens.
        public let tokenCount: Int
        /// The largest difference of an activation, as a share of the feature's largest.
        public let largestDifference: Double
        /// What does not agree, a line each.
        public let problems: [String]
    }

    private let settings: Settings
    private let workers: Workers

    /// Describes a check.
    public init(settings: Settings, workers: Workers) {
        self.settings = settings
        self.workers = workers
    }

    /// Checks all indexes whose dictionary reads the model.
    ///
    /// - Parameter progress: told how many of how many contexts are done.
    /// - Throws: `WorkflowError`, `CatalogError`, `LanguageModelError`.
    public func run(
        on catalog: Catalog, cancelled: () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> [Result] {
        guard settings.count > 0 else {
            throw WorkflowError.usage("--recompute is \(settings.count); allowed: from 1")
        }
        let folder = try ModelFolder(path: settings.model, workers: workers)
        var results: [Result] = []
        for record in try catalog.dictionaries() {
            for indexing in try catalog.indexings(dictionaryID: record.dictionaryID) {
                let dictionary = try StoredDictionary(named: "\(record.dictionaryID)", in: catalog)
                try dictionary.check(folder, in: catalog)
                let reader = TextReader(dictionary: dictionary, folder: folder, workers: workers)
                results.append(
                    try check(indexing, reader, catalog, cancelled: cancelled, progress: progress))
            }
        }
        return results
    }

    private func check(
        _ indexing: IndexingRecord, _ reader: TextReader, _ catalog: Catalog, cancelled: () -> Bool,
        progress: (_ done: Int, _ total: Int) -> Void
    ) throws -> Result {
        let key = indexing.key
        let total = try catalog.contextCount(key)
        var generator = CounterGenerator(seed: settings.seed, stream: "recomputed contexts")
        var numbers: Set<Int> = []
        while numbers.count < min(settings.count, total) { numbers.insert(generator.index(below: total)) }
        let chosen = try catalog.contextFeatures(key, numbers: numbers.sorted())
        var tokens = 0
        var largest = 0.0
        var problems: [String] = []
        for (done, (feature, place)) in chosen.enumerated() {
            if cancelled() { throw WorkflowError.interrupted("verifying was stopped") }
            let contexts = try catalog.contexts(key, featureIndex: feature)
            guard contexts.indices.contains(place) else { continue }
            let context = contexts[place]
            let maximum = Double(try catalog.feature(key, featureIndex: feature).maxActivation ?? 1)
            let again = try activations(of: context, feature, reader, catalog)
            tokens += again.values.count
            let difference = zip(again.values, context.activations).map { abs(Double($0) - Double($1)) }.max() ?? 0
            largest = max(largest, difference / maximum)
            let place = "feature \(feature), document \(context.documentID), token \(context.tokenPosition)"
            if difference > settings.tolerance * maximum {
                problems.append("\(place): an activation differs by \(difference), of \(maximum) at most")
            } else if again.layer != context.layer {
                problems.append("\(place): is routed to layer \(again.layer), not \(context.layer)")
            }
            progress(done + 1, chosen.count)
        }
        let corpora = try catalog.corpora()
        return Result(
            dictionary: reader.dictionary.record.name,
            corpus: corpora.first { $0.corpusID == key.corpusID }?.name ?? "", contextCount: chosen.count,
            tokenCount: tokens, largestDifference: largest, problems: problems)
    }

    /// A context's activations, computed from the tokens of its passage.
    private func activations(
        of context: ContextRecord, _ feature: Int, _ reader: TextReader, _ catalog: Catalog
    ) throws -> (values: [Float], layer: Int) {
        let document = try catalog.document(context.documentID)
        guard
            let passage = try catalog.passages(documentID: context.documentID).first(where: {
                $0.passageID == context.passageID
            }), passage.firstToken + passage.text.tokenCount <= document.tokenIDs.count
        else { throw CatalogError(.damaged, "\(catalog.path): a context's passage is not in its document") }
        // Nothing after the window has a part in it.
        let end = context.windowStart + context.activations.count
        let prefix = reader.prefix
        let segment = TokenSegment(
            document: document.ordinal, index: passage.segment, start: passage.firstToken,
            tokens: prefix + document.tokenIDs[passage.firstToken..<end], prefix: prefix.count)
        let reading = try reader.read([segment])
        let first = context.windowStart - passage.firstToken
        let layers = reader.dictionary.configuration.layers
        let selected = reading.firings.layer(of: feature, at: context.tokenPosition - passage.firstToken)
        return ((first..<reading.count).map { reading.activation(of: feature, at: $0) }, layers[selected])
    }
}
