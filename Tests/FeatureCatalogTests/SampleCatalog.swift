import FeatureCatalog
import Vocabulary

/// A small catalog with rows of every kind, the same for the same seed.
struct SampleCatalog {
    static let latentCount = 40
    static let dModel = 6
    static let tokenCount = 4000
    static let layers = [2, 3, 4, 5]
    static let digest = String(repeating: "ab", count: 32)

    /// The model's configuration.
    static let modelConfig = #"{"num_hidden_layers":8,"hidden_size":6,"vocab_size":50}"#

    /// Tokens of a passage, and of a context's window.
    static let passageLength = 20
    static let window = 16

    let catalog: Catalog
    let trainRunID: Int64
    let indexRunID: Int64
    let languageModelID: Int64
    let corpusID: Int64
    let documentIDs: [Int64]
    /// Ten to a document, in order.
    let passageIDs: [Int64]
    let dictionaryID: Int64

    /// What was written, to compare with what is read: one entry a latent.
    private(set) var entries: [FeatureEntry] = []
    let tensorValues: [Float]
    let documents: [DocumentRecord]
    let passages: [PassageRecord]

    var key: IndexingKey { IndexingKey(dictionaryID: dictionaryID, corpusID: corpusID) }
    var features: [FeatureRecord] { entries.map(\.record) }
    var featureLayers: [FeatureLayerRecord] { entries.flatMap(\.layers) }
    var featureTokens: [FeatureTokenRecord] { entries.flatMap(\.tokens) }

    init(at path: String, seed: UInt64 = 1) throws {
        var generator = SplitMix(state: seed)
        catalog = try Catalog.create(at: path, replacing: false, software: SoftwareIdentity(version: "sample 1"))
        trainRunID = try catalog.beginRun(
            kind: .train, config: #"{"steps":3}"#, seed: seed,
            inputs: [RunInput(role: "model", name: "model.safetensors", sha256: Self.digest, bytes: 12)])
        try catalog.recordMetrics(
            runID: trainRunID,
            [
                RunMetric(step: 0, name: "loss", value: 0.5), RunMetric(step: 1, name: "loss", value: .nan),
                RunMetric(step: 2, name: "loss", value: 0.25), RunMetric(step: 2, name: "step_seconds", value: 1.5),
            ])
        languageModelID = try catalog.addLanguageModel(
            LanguageModelRecord(
                name: "tiny", architecture: "llama", layerCount: 8, dModel: Self.dModel, vocabularySize: 50,
                configJSON: Self.modelConfig, sha256: Self.digest, tokenizerSHA256: Self.digest))
        try catalog.addTokens(
            languageModelID: languageModelID,
            (0..<50).map {
                $0 == 7
                    ? TokenRecord(tokenID: 7, text: "\u{FFFD}\u{2400}", bytes: [0xFF, 0x00])
                    : TokenRecord(tokenID: $0, text: " t\($0)")
            })
        corpusID = try catalog.addCorpus(
            CorpusRecord(languageModelID: languageModelID, name: "held-out", source: "made up", sha256: Self.digest))
        documents = (0..<5).map { ordinal in
            DocumentRecord(
                ordinal: ordinal, title: ordinal == 0 ? nil : "document \(ordinal)",
                tokenIDs: (0..<200).map { _ in Int32(generator.next(below: 50)) }, sha256: Self.digest)
        }
        documentIDs = try catalog.addDocuments(corpusID: corpusID, documents)
        passages = Self.passages(of: zip(documentIDs, documents))
        passageIDs = try catalog.addPassages(passages)
        tensorValues = (0..<Self.latentCount).flatMap { _ in
            // Of length 1, as the features say.
            let row = (0..<Self.dModel).map { _ in generator.unit() - 0.5 }
            let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return row.map { $0 / norm }
        }
        dictionaryID = try catalog.addDictionary(
            Self.dictionaryRecord(runID: trainRunID, languageModelID: languageModelID, name: "main"),
            tensors: [
                DictionaryTensor(name: "decoder", shape: [Self.latentCount, Self.dModel], values: tensorValues),
                DictionaryTensor(name: "pre_bias", dataType: .bf16, shape: [Self.dModel], values: [0, 1, 2, 3, 4, 5]),
                DictionaryTensor(name: "encoder", shape: [Self.latentCount, Self.dModel], values: tensorValues),
                DictionaryTensor(
                    name: "latent_bias", shape: [Self.latentCount],
                    values: [Float](repeating: 0, count: Self.latentCount)),
                DictionaryTensor(
                    name: "router", shape: [Self.layers.count, Self.dModel],
                    values: [Float](repeating: 0.5, count: Self.layers.count * Self.dModel)),
            ])
        try catalog.finishRun(trainRunID, status: .complete)
        indexRunID = try catalog.beginRun(kind: .index, config: "{}", seed: nil)
        entries = Self.entries(&generator, passageIDs: passageIDs)
        try writeIndex()
        try catalog.finishRun(indexRunID, status: .complete)
    }

    static func dictionaryRecord(runID: Int64, languageModelID: Int64?, name: String) -> DictionaryRecord {
        DictionaryRecord(
            runID: runID, languageModelID: languageModelID, name: name, architecture: .route, dModel: dModel,
            latentCount: latentCount, k: 4, layers: layers, aggregation: .sum, routing: .hard, fidelity: .corrected,
            activationThreshold: 1.5, relativeThreshold: 1.5 / Double(dModel).squareRoot(),
            configJSON: #"{"aux":true}"#, trainedTokenCount: 1000)
    }

    /// What a token of the vocabulary is made of.
    static func bytes(of token: Int32) -> [UInt8] {
        token == 7 ? [0xFF, 0x00] : Array(" t\(token)".utf8)
    }

    /// Documents cut into passages of equal length.
    static func passages(of documents: some Sequence<(Int64, DocumentRecord)>) -> [PassageRecord] {
        documents.flatMap { documentID, document in
            stride(from: 0, to: document.tokenIDs.count, by: passageLength).map { first in
                PassageRecord(
                    documentID: documentID, segment: first / passageLength, firstToken: first,
                    text: PassageText(tokenBytes: document.tokenIDs[first..<first + passageLength].map(bytes)))
            }
        }
    }

    var indexing: IndexingRecord { indexing(of: corpusID) }

    func indexing(
        of corpusID: Int64, edges: [Double] = [0, 0.5, 1, 2.25, 10], runID: Int64? = nil
    ) -> IndexingRecord {
        IndexingRecord(
            key: IndexingKey(dictionaryID: dictionaryID, corpusID: corpusID), runID: runID ?? indexRunID,
            tokenCount: Self.tokenCount, documentCount: documentIDs.count, window: Self.window, histogramEdges: edges)
    }

    func writeIndex(replacing: Bool = false) throws {
        try writeIndex(entries, indexing, replacing: replacing)
    }

    /// Writes an index whose features and contexts are `entries`.
    func writeIndex(_ entries: [FeatureEntry], _ indexing: IndexingRecord, replacing: Bool = false) throws {
        try catalog.writeIndex(indexing, replacing: replacing) { writer in
            for entry in entries { try writer.write(entry) }
            writer.write(layerRouting: [
                LayerRoutingRecord(layer: 2, tokenCount: 1000, meanRouterWeight: 0.25),
                LayerRoutingRecord(layer: 3, tokenCount: 0, meanRouterWeight: nil),
                LayerRoutingRecord(layer: 4, tokenCount: 3000, meanRouterWeight: 0.75),
                LayerRoutingRecord(layer: 5, tokenCount: 0, meanRouterWeight: 0),
            ])
        }
    }

    func passage(_ passageID: Int64) -> PassageRecord? {
        passageIDs.firstIndex(of: passageID).map { passages[$0] }
    }

    func firstToken(of passageID: Int64) -> Int {
        passage(passageID)?.firstToken ?? .min
    }

    /// Another corpus with documents and passages like those of the first.
    func addCorpus(named name: String) throws -> (corpusID: Int64, passageIDs: [Int64]) {
        let corpusID = try catalog.addCorpus(
            CorpusRecord(languageModelID: languageModelID, name: name, sha256: Self.digest))
        let documentIDs = try catalog.addDocuments(corpusID: corpusID, documents)
        return (corpusID, try catalog.addPassages(Self.passages(of: zip(documentIDs, documents))))
    }

    /// Rows for another corpus.
    func entries(of corpus: (corpusID: Int64, passageIDs: [Int64]), seed: UInt64 = 5) -> [FeatureEntry] {
        var generator = SplitMix(state: seed)
        return Self.entries(&generator, passageIDs: corpus.passageIDs)
    }

    /// Features whose contexts are windows of some passages, ten or more.
    static func entries(_ generator: inout SplitMix, passageIDs: [Int64]) -> [FeatureEntry] {
        (0..<latentCount).map { feature in
            // Every tenth never fires.
            guard feature % 10 != 9 else { return silent(feature) }
            var layers: [FeatureLayerRecord] = []
            let maximum = 4 + generator.unit()
            for layer in Self.layers where generator.next(below: 3) > 0 || layer == 4 {
                let count = 140 + generator.next(below: 30)
                layers.append(
                    FeatureLayerRecord(
                        featureIndex: feature, layer: layer, firedCount: count,
                        sumActivation: 0.75 * Double(count),
                        maxActivation: layer == 4 ? maximum : 1 + generator.unit(),
                        sumRouterWeight: layer == 3 ? nil : 0.5 * Double(count)))
            }

            let fired = layers.reduce(0) { $0 + $1.firedCount }
            let minimum = generator.unit() / 8
            let record = FeatureRecord(
                featureIndex: feature, firedCount: fired,
                sumActivation: layers.reduce(0) { $0 + $1.sumActivation },
                sumSquare: 0.625 * Double(fired), minActivation: minimum,
                maxActivation: maximum, quantiles: .init(p10: 0.2, p50: 0.5, p90: 0.9, p99: 0.99),
                decoderNorm: 1, documentCount: 1 + generator.next(below: 5), histogram: [fired - 3, 0, 1, 2])
            return FeatureEntry(
                record: record, layers: layers, tokens: tokens(of: feature, &generator),
                linearHistogram: linearHistogram(from: minimum, through: maximum, count: fired),
                contexts: contexts(&generator, passageIDs: passageIDs, maximum: maximum),
                cofirings: (0..<feature % 4).map { rank in
                    CofiringRecord(
                        otherIndex: (feature + rank + 1) % latentCount, share: 0.5 / Double(rank + 1),
                        lift: 1 + Double(generator.unit()))
                })
        }
    }

    /// All firings in the bins of the smallest and the largest activation, 2⁻⁵ wide as 4 … 5 asks for.
    private static func linearHistogram(from minimum: Float, through maximum: Float, count: Int) -> LinearHistogram? {
        let (first, last) = (Int(minimum * 32), Int(maximum * 32))
        return LinearHistogram(
            exponent: -5, firstBin: first,
            counts: [count - 1] + Array(repeating: 0, count: last - first - 1) + [1])
    }

    /// A feature that never fires.
    static func silent(_ feature: Int) -> FeatureEntry {
        FeatureEntry(
            record: FeatureRecord(
                featureIndex: feature, firedCount: 0, sumActivation: 0, sumSquare: 0, minActivation: nil,
                maxActivation: nil, quantiles: nil, decoderNorm: 1, documentCount: 0, histogram: []))
    }

    private static func tokens(of feature: Int, _ generator: inout SplitMix) -> [FeatureTokenRecord] {
        // Some features have all 33 classes, some hardly any.
        (0..<[33, 2, 5, 12, 33, 32, 3][feature % 7]).map { index in
            let first = 4 * generator.unit()
            let fired = 1 + generator.next(below: 4)
            return FeatureTokenRecord(
                featureIndex: feature, tokenClass: "class \(index)", firedCount: fired, activation1: first,
                activation2: fired == 1 ? nil : first * generator.unit())
        }
    }

    /// Nine contexts, three of every band, in passages of their own.
    private static func contexts(
        _ generator: inout SplitMix, passageIDs: [Int64], maximum: Float
    ) -> [ContextEntry] {
        let shift = generator.next(below: passageIDs.count)
        return (0..<9).map { number in
            let band = ContextBand.allCases[number / 3]
            let position = generator.next(below: passageLength)
            // The last quarter of a window lies behind the peak, unless the passage begins or ends before.
            let end = min(max(position + 5, window), passageLength)
            var activations = (0..<window).map { _ in generator.next(below: 5) == 0 ? generator.unit() : 0 }
            activations[position - (end - window)] =
                switch band {
                case .top: maximum - Float(number) / 4
                case .sample: 3 + generator.unit()
                case .quiet: 0
                }
            return ContextEntry(
                band: band, rank: number % 3, passageID: passageIDs[(shift + number) % passageIDs.count],
                position: position, layer: Self.layers[generator.next(below: 4)],
                routerWeight: band == .sample ? nil : 0.5, activation: activations[position - (end - window)],
                split: [.explain, .score, nil][number % 3], activations: activations)
        }
    }
}

/// A small generator for test data (SplitMix64).
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func next(below bound: Int) -> Int {
        Int(next() % UInt64(bound))
    }

    /// In [0, 1).
    mutating func unit() -> Float {
        Float(next() >> 40) / Float(1 << 24)
    }
}
