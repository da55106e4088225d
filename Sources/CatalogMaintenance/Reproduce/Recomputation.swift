import ActivationPipeline
package import FeatureCatalog
import Foundation
import LanguageModel
package import LinearAlgebra
import SparseCoding
import Tokenization

/// Runs contexts of a catalog through the model again and compares: the text of their
/// passages, layers and router weights, activations, and whether firings lie in the range of their feature.
package struct Recomputation {
    /// How contexts are drawn and compared.
    package struct Settings: Sendable, Equatable {
        /// Model folder.
        package var model: String
        /// Contexts drawn, of every index.
        package var count: Int
        /// Seed of the draw.
        package var seed: UInt64
        /// Differences up to this share of a feature's largest activation are round-off. Sums in the model's products
        /// depend in their last bits on the sizes of the batches they are part of.
        package var tolerance: Double

        /// Makes settings.
        package init(model: String, count: Int, seed: UInt64 = 0, tolerance: Double = 1e-4) {
            self.model = model
            self.count = count
            self.seed = seed
            self.tolerance = tolerance
        }
    }

    /// The result for one index.
    package struct Result: Sendable {
        /// The dictionary's name.
        package let dictionary: String
        /// The corpus's name.
        package let corpus: String
        /// Contexts that were recomputed.
        package let contextCount: Int
        /// Their tokens.
        package let tokenCount: Int
        /// The largest difference of an activation, relative to the feature's largest.
        package let largestDifference: Double
        /// Disagreements, a line each.
        package let problems: [String]
    }

    private let settings: Settings
    private let workers: Workers

    /// Describes a check.
    package init(settings: Settings, workers: Workers) {
        self.settings = settings
        self.workers = workers
    }

    /// Checks all indexes whose dictionary reads the model.
    ///
    /// - Parameter progress: told how many of how many contexts are done.
    /// - Throws: `WorkflowError`, `CatalogError`, `LanguageModelError`.
    package func run(
        on catalog: Catalog, cancelled: () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> [Result] {
        try Allowed.from(1).check(settings.count, of: "recompute")

        // One for each precision in which something was indexed.
        var folders: [Precision: ModelFolder] = [:]
        var results: [Result] = []
        for record in try catalog.dictionaries() {
            for indexing in try catalog.indexings(dictionaryID: record.dictionaryID) {
                let dictionary = try StoredDictionary(record, in: catalog)
                let precision = try Self.precision(of: indexing, in: catalog)
                let folder =
                    try folders[precision]
                    ?? ModelFolder(path: settings.model, workers: workers, precision: precision)
                folders[precision] = folder
                try dictionary.check(folder, in: catalog)
                let reader = TextReader(dictionary: dictionary, folder: folder, workers: workers)
                results.append(
                    try check(indexing, reader, catalog, cancelled: cancelled, progress: progress))
            }
        }
        return results
    }

    /// What the products of an index took, from the run that made it.
    private static func precision(of indexing: IndexingRecord, in catalog: Catalog) throws -> Precision {
        /// What settings of indexing and merging have in common.
        struct Settings: Decodable { let precision: Precision? }
        let config = Data(try catalog.run(indexing.runID).configJSON.utf8)
        return (try? JSONDecoder().decode(Settings.self, from: config))?.precision ?? .f32
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
            let figures = try Figures(of: feature, key, catalog)
            let again = try read(context, feature, reader, catalog)
            tokens += context.activations.count
            let (difference, reasons) = differences(context, figures, again)
            largest = max(largest, difference / figures.scale)
            let place = "feature \(feature), document \(context.documentID), token \(context.tokenPosition)"
            problems += reasons.map { "\(place): \($0)" }
            progress(done + 1, chosen.count)
        }

        let corpora = try catalog.corpora()
        return Result(
            dictionary: reader.dictionary.record.name,
            corpus: corpora.first { $0.corpusID == key.corpusID }?.name ?? "", contextCount: chosen.count,
            tokenCount: tokens, largestDifference: largest, problems: problems)
    }

    /// Statistics of a feature's firings in the catalog.
    private struct Figures {
        let minimum: Float?
        let maximum: Float?
        let layers: Set<Int>

        /// The scale of differences.
        var scale: Double { Double(maximum ?? 1) }

        init(of feature: Int, _ key: IndexingKey, _ catalog: Catalog) throws {
            let record = try catalog.feature(key, featureIndex: feature)
            minimum = record.minActivation
            maximum = record.maxActivation
            layers = Set(try catalog.featureLayers(key, featureIndex: feature).map(\.layer))
        }
    }

    /// A context's passage recomputed, up to the end of its window.
    private struct Again {
        /// Activations of the feature from the start of the passage on.
        let activations: [Float]
        /// The layer of every token.
        let layers: [Int]
        /// Where the window starts.
        let first: Int
        /// The peak.
        let peak: Int
        let routerWeight: Float
        /// Whether the passage's text equals its decoded tokens.
        let isTextTheSame: Bool
    }

    /// - Returns: The largest difference of an activation, and the disagreements.
    private func differences(
        _ context: ContextRecord, _ figures: Figures, _ again: Again
    ) -> (largest: Double, reasons: [String]) {
        var reasons: [String] = []
        let window = again.activations[again.first...]
        let difference = zip(window, context.activations).map { abs(Double($0) - Double($1)) }.max() ?? 0
        let allowed = settings.tolerance * figures.scale
        if difference > allowed {
            reasons.append("an activation differs by \(difference), of \(figures.scale) at most")
        } else if again.layers[again.peak] != context.layer {
            reasons.append("is routed to layer \(again.layers[again.peak]), not \(context.layer)")
        }
        if let weight = context.routerWeight, abs(Double(weight) - Double(again.routerWeight)) > settings.tolerance {
            reasons.append("its router weight is \(again.routerWeight), not \(weight)")
        }
        if !again.isTextTheSame { reasons.append("its passage does not read as the model's tokenizer has it") }
        for (activation, layer) in zip(again.activations, again.layers) where activation != 0 {
            let isInRange =
                Double(activation) <= Double(figures.maximum ?? -.infinity) + allowed
                && Double(activation) >= Double(figures.minimum ?? -.infinity) - allowed
            guard !isInRange || !figures.layers.contains(layer) else { continue }
            reasons.append(
                isInRange
                    ? "it fires at layer \(layer), where feature_layer has no firings"
                    : "it fires with \(activation), outside of min_activation … max_activation")
            break
        }
        return (difference, reasons)
    }

    /// Recomputes a context's passage up to the end of its window; later tokens have no effect.
    private func read(
        _ context: ContextRecord, _ feature: Int, _ reader: TextReader, _ catalog: Catalog
    ) throws -> Again {
        let document = try catalog.document(context.documentID)
        guard
            let passage = try catalog.passages(documentID: context.documentID).first(where: {
                $0.passageID == context.passageID
            }), passage.firstToken + passage.text.tokenCount <= document.tokenIDs.count
        else { throw CatalogError(.damaged, "\(catalog.path): a context's passage is not in its document") }
        let end = context.windowStart + context.activations.count
        let prefix = reader.prefix
        let segment = TokenSegment(
            document: document.ordinal, index: passage.segment, start: passage.firstToken,
            tokens: prefix + document.tokenIDs[passage.firstToken..<end], prefix: prefix.count)
        let reading = try reader.read([segment])
        let numbers = reader.dictionary.configuration.layers
        let selected = (0..<reading.count).map { reading.firings.layer(of: feature, at: $0) }
        let peak = context.tokenPosition - passage.firstToken
        let stretch = document.tokenIDs[passage.firstToken..<passage.firstToken + passage.text.tokenCount]
        return Again(
            activations: (0..<reading.count).map { reading.activation(of: feature, at: $0) },
            layers: selected.map { numbers[$0] }, first: context.windowStart - passage.firstToken, peak: peak,
            routerWeight: reading.firings.weight(ofLayer: selected[peak], at: peak),
            isTextTheSame: reader.folder.tokenizer.passageText(stretch) == passage.text)
    }
}
