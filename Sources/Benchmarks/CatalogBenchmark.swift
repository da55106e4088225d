import ActivationPipeline
import FeatureCatalog
import Foundation
import Indexing
import LinearAlgebra
import RandomNumbers
import Tokenization
import Vocabulary

/// Writes a catalog of any size from synthetic features on text, through the same calls as indexing, and measures the
/// speed of writing its index.
package struct CatalogBenchmark: Sendable {
    /// Features of the dictionary.
    package var features: Int
    /// Contexts of each.
    package var contexts: Int
    /// Tokens of text; nil for one a context, 10 million at most.
    package var tokens: Int?
    /// Width of the residual stream.
    package var dModel: Int
    /// The model folder whose tokenizer reads the text, and the text; without either, synthetic words are used.
    package var model: String?
    /// Files and folders of text.
    package var text: [String]
    /// Where to keep a copy of the catalog before the index is written; nil for nowhere.
    package var before: String?
    /// Seed of all synthetic data.
    package var seed: UInt64

    /// Describes a benchmark.
    package init(
        features: Int, contexts: Int, tokens: Int? = nil, dModel: Int = 64, model: String? = nil, text: [String] = [],
        before: String? = nil, seed: UInt64 = 0
    ) {
        self.features = features
        self.contexts = contexts
        self.tokens = tokens
        self.dModel = dModel
        self.model = model
        self.text = text
        self.before = before
        self.seed = seed
    }

    /// The measurements.
    package struct Result: Sendable {
        /// Seconds that writing the index took, to the end of its transaction, without making the features up.
        package let writeSeconds: Double
        /// Processor time of the same, less affected by other processes.
        package let processorSeconds: Double
        /// Contexts written.
        package let contexts: Int
        /// Rows of all tables written with them.
        package let rows: Int
        /// Tokens of text.
        package let tokens: Int
        /// Bytes of the file.
        package let bytes: Int
        /// The most resident memory the process ever held, in bytes.
        package let peakResidentBytes: Int
    }

    /// Layers of the dictionary.
    private static let layers = Array(1...9)
    private static let window = 48
    private static let passageLength = 256

    /// Writes the catalog.
    ///
    /// - Parameter path: The catalog, which must not exist.
    /// - Throws: `WorkflowError.usage` for sizes out of range; `CatalogError`.
    package func run(at path: String, progress: (_ done: Int, _ total: Int) -> Void) throws -> Result {
        guard (1...1 << 24).contains(features), (0...1 << 14).contains(contexts), (1...1 << 14).contains(dModel),
            tokens.map({ (1...1 << 30).contains($0) }) ?? true
        else {
            throw WorkflowError.usage(
                "`features` has to be 1 … 2^24, `contexts` 0 … 2^14, `dModel` 1 … 2^14, `tokens` from 1")
        }

        var catalog = try Catalog.create(at: path, replacing: false, software: Software.identity)
        let text = try SyntheticText(model: model, text: text, seed: seed)
        let setting = try prepare(catalog, text)
        if let before {
            _ = try catalog.close()
            try FileManager.default.copyItem(atPath: path, toPath: before)
            catalog = try Catalog.open(at: path, mode: .readWrite)
        }

        let (seconds, processorSeconds, rows) = try index(catalog, setting, progress)
        try explain(catalog, setting, text)
        try catalog.finishRun(setting.runID, status: .complete, error: nil)
        _ = try catalog.close()
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        return Result(
            writeSeconds: seconds, processorSeconds: processorSeconds, contexts: features * contexts, rows: rows,
            tokens: setting.features.tokenCount,
            bytes: size ?? 0, peakResidentBytes: ForwardBenchmark.peakResidentBytes())
    }

    private struct Setting {
        let key: IndexingKey
        let runID: Int64
        let documentCount: Int
        let features: SyntheticFeatures
    }

    /// Writes everything but the index: model, text and weights, and the lists derived from them.
    private func prepare(_ catalog: Catalog, _ text: SyntheticText) throws -> Setting {
        let digest = String(repeating: "0", count: 64)
        let modelID = try catalog.addLanguageModel(
            LanguageModelRecord(
                name: "synthetic", architecture: "llama", layerCount: 12, dModel: dModel,
                vocabularySize: text.vocabulary.count, configJSON: "{}", sha256: digest))
        try catalog.addTokens(languageModelID: modelID, text.vocabulary)
        let runID = try catalog.beginRun(
            kind: .index, config: "{\"synthetic\":true}", seed: seed, software: Software.identity)
        let root = Double(dModel).squareRoot()
        let dictionaryID = try catalog.addDictionary(
            DictionaryRecord(
                runID: runID, languageModelID: modelID, name: "synthetic", architecture: .route, dModel: dModel,
                latentCount: features, k: Int(SyntheticFeatures.activePerToken), layers: Self.layers, aggregation: .sum,
                routing: .hard, fidelity: .corrected, activationThreshold: 1.5, relativeThreshold: 1.5 / root,
                configJSON: "{}"),
            tensors: [
                tensor("decoder", [features, dModel]), tensor("encoder", [features, dModel]),
                tensor("router", [Self.layers.count, dModel]), tensor("pre_bias", [dModel]),
                tensor("latent_bias", [features]),
            ])
        let corpusID = try catalog.addCorpus(
            CorpusRecord(languageModelID: modelID, name: "synthetic", sha256: digest))
        let (documentCount, passages, drawn) = try addText(catalog, text, corpusID: corpusID)
        try addVectors(catalog, dictionaryID: dictionaryID, vocabularySize: text.vocabulary.count)
        return Setting(
            key: IndexingKey(dictionaryID: dictionaryID, corpusID: corpusID), runID: runID,
            documentCount: documentCount,
            features: SyntheticFeatures(
                firstPassage: 1, passageLengths: passages, tokenCount: passages.reduce(0) { $0 + Int($1) },
                classes: drawn.map { text.classes[Int($0)] }, featureCount: features, contextCount: contexts,
                layers: Self.layers, window: Self.window, seed: seed, documentCount: documentCount,
                decoderNorm: { [dModel, seed] feature in
                    let row = Self.row(feature, of: "decoder", width: dModel, seed: seed)
                    return row.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
                }))
    }

    private func tensor(_ name: String, _ shape: [Int]) -> DictionaryTensor {
        let width = shape.dropFirst().reduce(1, *)
        return DictionaryTensor(name: name, dataType: .f32, shape: shape) { rows in
            rows.flatMap { Self.row($0, of: name, width: width, seed: seed) }
        }
    }

    private static func row(_ row: Int, of tensor: String, width: Int, seed: UInt64) -> [Float] {
        var generator = CounterGenerator(seed: seed ^ SplitMix64.mixed(UInt64(row)), stream: tensor)
        return (0..<width).map { _ in generator.uniform() - 0.5 }
    }

    /// Adds documents until there are as many tokens as asked for.
    ///
    /// - Returns: How many there are, the tokens of each passage, and tokens drawn from them.
    private func addText(
        _ catalog: Catalog, _ text: SyntheticText, corpusID: Int64
    ) throws -> (documents: Int, passages: [Int32], drawn: [Int32]) {
        var rest = tokens ?? max(100_000, min(10_000_000, features * contexts))
        var lengths: [Int32] = []
        var drawn: [Int32] = []
        var ordinal = 0
        while rest > 0 {
            var documents: [DocumentRecord] = []
            while documents.count < 64, rest > 0 {
                let document = try text.document(ordinal)
                let ids = Array(document.tokenIDs.prefix(rest))
                if !ids.isEmpty {
                    // A name for the document, not a digest of its text, which would take longer than all else.
                    let number = String(ordinal, radix: 16)
                    documents.append(
                        DocumentRecord(
                            ordinal: ordinal, title: document.title, tokenIDs: ids,
                            sha256: String(repeating: "0", count: 64 - number.count) + number))
                }
                rest -= ids.count
                ordinal += 1
            }

            let documentIDs = try catalog.addDocuments(corpusID: corpusID, documents)
            for (documentID, document) in zip(documentIDs, documents) {
                let ids = document.tokenIDs
                let passages = stride(from: 0, to: ids.count, by: Self.passageLength).enumerated().map {
                    segment, start in
                    let part = ids[start..<min(start + Self.passageLength, ids.count)]
                    lengths.append(Int32(part.count))
                    return PassageRecord(
                        documentID: documentID, segment: segment, firstToken: start, text: text.passage(part))
                }
                _ = try catalog.addPassages(passages)
                if drawn.count < 1 << 20 { drawn += ids }
            }
        }
        return (ordinal, lengths, drawn)
    }

    /// Ten promoted and ten suppressed tokens and ten neighbours of every feature.
    private func addVectors(_ catalog: Catalog, dictionaryID: Int64, vocabularySize: Int) throws {
        for start in stride(from: 0, to: features, by: 4096) {
            var generator = CounterGenerator(seed: seed ^ SplitMix64.mixed(UInt64(start)), stream: "vectors")
            let range = start..<min(start + 4096, features)
            try catalog.write(
                logits: range.flatMap { feature in
                    FeatureLogit.Direction.allCases.flatMap { direction in
                        (0..<10).map { rank in
                            let value = (Float(11 - rank) + generator.uniform()) / 10
                            return FeatureLogit(
                                featureIndex: feature, direction: direction, rank: rank,
                                tokenID: generator.index(below: vocabularySize),
                                value: direction == .promoted ? value : -value)
                        }
                    }
                }, dictionaryID: dictionaryID)
            try catalog.write(
                neighbors: range.flatMap { feature in
                    (0..<10).map { rank in
                        FeatureNeighbor(
                            featureIndex: feature, rank: rank,
                            neighborIndex: (feature + 1 + generator.index(below: max(1, features - 1))) % features,
                            cosine: (Float(9 - rank) + generator.uniform()) / 10)
                    }
                }, dictionaryID: dictionaryID)
        }
    }

    /// Writes the index.
    ///
    /// - Returns: Seconds and processor time without making the features up, and rows.
    private func index(
        _ catalog: Catalog, _ setting: Setting, _ progress: (_ done: Int, _ total: Int) -> Void
    ) throws -> (seconds: Double, processorSeconds: Double, rows: Int) {
        let edges = [0] + FiringHistogram.edges.map(Double.init) + [Double(Float.greatestFiniteMagnitude)]
        let indexing = IndexingRecord(
            key: setting.key, runID: setting.runID, tokenCount: setting.features.tokenCount,
            documentCount: setting.documentCount, window: Self.window, histogramEdges: edges)
        let clock = ContinuousClock()
        var outside = Duration.zero
        var outsideProcessor = 0.0
        var rows = 0
        let started = Self.processorSeconds()
        let all = try clock.measure {
            try catalog.writeIndex(indexing) { writer in
                for feature in 0..<features {
                    var entry: FeatureEntry?
                    let before = Self.processorSeconds()
                    outside += clock.measure {
                        entry = setting.features.entry(feature)
                        if feature.isMultiple(of: 1024) { progress(feature, features) }
                    }
                    outsideProcessor += Self.processorSeconds() - before
                    guard let entry else { continue }
                    try writer.write(entry)
                    rows += 2 + entry.layers.count + entry.tokens.count + entry.cofirings.count + entry.contexts.count
                }
                writer.write(
                    layerRouting: Self.layers.map {
                        LayerRoutingRecord(
                            layer: $0, tokenCount: setting.features.tokenCount / Self.layers.count,
                            meanRouterWeight: 1 / Double(Self.layers.count))
                    })
            }
        }

        let processor = Self.processorSeconds() - started - outsideProcessor
        progress(features, features)
        return ((all - outside) / .seconds(1), processor, rows)
    }

    /// Processor time of this process.
    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }

    /// Explains and scores every sixteenth feature.
    private func explain(_ catalog: Catalog, _ setting: Setting, _ text: SyntheticText) throws {
        var generator = CounterGenerator(seed: seed, stream: "explanations")
        let classes = setting.features.classes
        for start in stride(from: 0, to: features, by: 16 * 1024) {
            let chosen = Array(stride(from: start, to: min(start + 16 * 1024, features), by: 16))
            let explanations = try catalog.write(
                explanations: chosen.map { feature in
                    let words = (0..<5).map { _ in "\"\(classes[generator.index(below: classes.count)])\"" }
                    return ExplanationRecord(
                        runID: setting.runID, dictionaryID: setting.key.dictionaryID, featureIndex: feature,
                        corpusID: setting.key.corpusID, method: "n2g",
                        text:
                            "fires on \(words[0]), \(words[1]) after \(words[2]); strongest on \(words[3]), \(words[4])"
                    )
                })
            _ = try catalog.write(
                scores: zip(chosen, explanations).flatMap { feature, explanation in
                    [ScoreMethod.simulation, .detection].map { method in
                        ScoreRecord(
                            runID: setting.runID, dictionaryID: setting.key.dictionaryID, featureIndex: feature,
                            corpusID: setting.key.corpusID, explanationID: explanation, method: method, status: .ok,
                            value: Double(generator.uniform()), baselineValue: 0.2 * Double(generator.uniform()),
                            contextCount: 25, tokenCount: 1200)
                    }
                })
        }
    }
}

extension SyntheticText {
    /// Text of the files if there are any, made-up words otherwise.
    fileprivate init(model: String?, text: [String], seed: UInt64) throws {
        if let model, !text.isEmpty { try self.init(model: model, text: text) } else { self.init(seed: seed) }
    }
}
