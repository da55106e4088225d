import FeatureCatalog

/// A small catalog with rows of every kind, the same for the same seed.
struct SampleCatalog {
    static let latentCount = 40
    static let dModel = 6
    static let tokenCount = 4000
    static let layers = [2, 3, 4, 5]
    static let digest = String(repeating: "ab", count: 32)

    let catalog: Catalog
    let trainRunID: Int64
    let indexRunID: Int64
    let languageModelID: Int64
    let corpusID: Int64
    let documentIDs: [Int64]
    let dictionaryID: Int64

    /// What was written, to compare with what is read.
    private(set) var features: [FeatureRecord] = []
    private(set) var featureLayers: [FeatureLayerRecord] = []
    private(set) var featureTokens: [FeatureTokenRecord] = []
    private(set) var contexts: [ContextRecord] = []
    let tensorValues: [Float]
    let documents: [DocumentRecord]

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
                configJSON: "{}", sha256: Self.digest, tokenizerSHA256: Self.digest))
        try catalog.addTokens(
            languageModelID: languageModelID,
            (0..<50).map { TokenRecord(tokenID: $0, text: "t\($0)", bytes: $0 == 7 ? [0xFF, 0x00] : nil) })
        corpusID = try catalog.addCorpus(
            CorpusRecord(languageModelID: languageModelID, name: "held-out", source: "made up", sha256: Self.digest))
        documents = (0..<5).map { ordinal in
            DocumentRecord(
                ordinal: ordinal, title: ordinal == 0 ? nil : "document \(ordinal)",
                tokenIDs: (0..<200).map { _ in Int32(generator.next(below: 50)) }, sha256: Self.digest)
        }
        documentIDs = try catalog.addDocuments(corpusID: corpusID, documents)
        tensorValues = (0..<Self.latentCount * Self.dModel).map { _ in generator.unit() - 0.5 }
        dictionaryID = try catalog.addDictionary(
            Self.dictionaryRecord(runID: trainRunID, languageModelID: languageModelID, name: "main"),
            tensors: [
                DictionaryTensor(name: "decoder", shape: [Self.latentCount, Self.dModel], values: tensorValues),
                DictionaryTensor(name: "pre_bias", dataType: .bf16, shape: [Self.dModel], values: [0, 1, 2, 3, 4, 5]),
            ])
        try catalog.finishRun(trainRunID, status: .complete)
        indexRunID = try catalog.beginRun(kind: .index, config: "{}", seed: nil)
        makeIndex(&generator)
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

    var indexing: IndexingRecord {
        IndexingRecord(
            dictionaryID: dictionaryID, runID: indexRunID, corpusID: corpusID, tokenCount: Self.tokenCount,
            documentCount: documentIDs.count, histogramEdges: [0, 0.5, 1, 2.25, 10])
    }

    func writeIndex(replacing: Bool = false) throws {
        try catalog.writeIndex(indexing, replacing: replacing) { writer in
            try writer.write(features: features)
            try writer.write(featureLayers: featureLayers)
            try writer.write(featureTokens: featureTokens)
            try writer.write(contexts: contexts)
            try writer.write(layerRouting: [
                LayerRoutingRecord(layer: 2, tokenCount: 1000, meanRouterWeight: 0.25),
                LayerRoutingRecord(layer: 4, tokenCount: 3000, meanRouterWeight: 0.75),
            ])
        }
    }

    private mutating func makeIndex(_ generator: inout SplitMix) {
        for feature in 0..<Self.latentCount {
            // Every tenth never fires.
            guard feature % 10 != 9 else {
                features.append(
                    FeatureRecord(
                        featureIndex: feature, firedCount: 0, meanActivation: nil, stdActivation: nil,
                        maxActivation: nil, quantiles: nil, decoderNorm: 1, documentCount: 0, histogram: []))
                continue
            }
            var fired = 0
            for layer in Self.layers where generator.next(below: 3) > 0 || layer == 4 {
                let count = 1 + generator.next(below: 30)
                fired += count
                featureLayers.append(
                    FeatureLayerRecord(
                        featureIndex: feature, layer: layer, firedCount: count,
                        sumActivation: Double(count) * Double(generator.unit()), maxActivation: generator.unit(),
                        meanRouterWeight: layer == 3 ? nil : 0.5))
            }
            features.append(
                FeatureRecord(
                    featureIndex: feature, firedCount: fired, meanActivation: 0.75, stdActivation: 0.25,
                    maxActivation: 4 + generator.unit(),
                    quantiles: .init(p10: 0.1, p50: 0.5, p90: 0.9, p99: 0.99), decoderNorm: 1,
                    documentCount: 1 + generator.next(below: 5), histogram: [fired - 3, 0, 1, 2]))
            makeTokens(feature, &generator)
            makeContexts(feature, &generator)
        }
    }

    private mutating func makeTokens(_ feature: Int, _ generator: inout SplitMix) {
        // Some features have all 33 classes, some hardly any.
        for index in 0..<[33, 2, 5, 12, 33, 32, 3][feature % 7] {
            let first = 4 * generator.unit()
            let fired = 1 + generator.next(below: 4)
            featureTokens.append(
                FeatureTokenRecord(
                    featureIndex: feature, tokenClass: "class \(index)", firedCount: fired, activation1: first,
                    activation2: fired == 1 ? nil : first * generator.unit()))
        }
    }

    private mutating func makeContexts(_ feature: Int, _ generator: inout SplitMix) {
        for rank in 0..<9 {
            let band: ContextRecord.Band = [.top, .sample, .quiet][rank / 3]
            let start = 20 * rank
            let peak = generator.next(below: 16)
            var activations = (0..<16).map { _ in generator.next(below: 5) == 0 ? generator.unit() : 0 }
            activations[peak] = band == .quiet ? 0 : 3 + generator.unit()
            contexts.append(
                ContextRecord(
                    featureIndex: feature, band: band, rank: rank % 3,
                    documentID: documentIDs[generator.next(below: documentIDs.count)],
                    tokenPosition: start + peak, segment: rank, windowStart: start,
                    layer: Self.layers[generator.next(below: 4)], routerWeight: band == .sample ? nil : 0.5,
                    activation: activations[peak],
                    split: rank % 3 == 0 ? .explain : rank % 3 == 1 ? .score : nil, activations: activations,
                    excerpt: "some wo«rd\(feature)» of rank \(rank)"))
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
