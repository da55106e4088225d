import FeatureCatalog
import Foundation
import TestSupport
import Vocabulary

/// A small catalog whose names, tokens, titles, explanations and notes try to be markup, and more.
struct HostileWorld {
    static let digest = String(repeating: "cd", count: 32)
    /// What a page must never hold as it is.
    static let script = "<script>alert('x')</script>"
    static let attribute = "\" onmouseover=\"alert(1)"
    static let override = "\u{202E}gnp.exe"
    static let invisible = "zero\u{200B}width\u{FEFF}"
    static let long = String(repeating: "long", count: 2500)
    static let entity = "&amp;&lt;b&gt;"
    static let newline = "\n"

    /// The vocabulary; a passage has each once.
    static let words = [
        "the", " king", script, attribute, override, invisible, long, entity, newline, " said", " שלום", "'",
    ]
    static let name = "d\(script)\(attribute)"
    static let key = IndexingKey(dictionaryID: 1, corpusID: 1)
    static let latents = 30
    /// The activations of feature 0's strongest context, by token.
    static let strongest: [Float] = [0, 0, 3, 0, 0.75, 0, 0, 0, 0, 0, 0, 1.5]

    let directory: TemporaryDirectory
    var path: String { directory.file("c.sqlite") }

    /// Makes one.
    init() throws {
        directory = try TemporaryDirectory()
        try MadeOnce.catalog("hostile world", at: path) { try Self.make(at: $0) }
    }

    private static func make(at path: String) throws {
        let catalog = try Catalog.create(at: path, replacing: false, software: SoftwareIdentity(version: script))
        let train = try catalog.beginRun(
            kind: .train, config: #"{"steps":3,"x":"</pre><script>"}"#, seed: 3,
            inputs: [RunInput(role: "text", name: script, sha256: digest, bytes: 12)])
        try catalog.recordMetrics(
            runID: train,
            (0..<50).map { RunMetric(step: $0, name: "loss", value: 1 / Double($0 + 1)) }
                + (0..<50).map { RunMetric(step: $0, name: "<b>", value: $0 == 7 ? .nan : Double($0)) })
        let model = try catalog.addLanguageModel(
            LanguageModelRecord(
                name: "m\(script)", architecture: "llama", layerCount: 2, dModel: 2, vocabularySize: words.count,
                configJSON: "{}", sha256: digest, tokenizerSHA256: digest))
        try catalog.addTokens(
            languageModelID: model, words.enumerated().map { TokenRecord(tokenID: $0, text: $1, bytes: nil) })
        let corpus = try catalog.addCorpus(
            CorpusRecord(languageModelID: model, name: "c\(script)", sha256: digest))
        let documents = try catalog.addDocuments(
            corpusID: corpus,
            [
                DocumentRecord(
                    ordinal: 0, title: script + attribute, tokenIDs: (0..<Int32(words.count)).map(\.self),
                    sha256: digest)
            ])
        let passages = try catalog.addPassages([
            PassageRecord(
                documentID: documents[0], segment: 0, firstToken: 0,
                text: PassageText(tokenBytes: words.map { Array($0.utf8) }))
        ])
        let weights = (0..<latents).flatMap { feature -> [Float] in
            let angle = Float(feature) / 7
            return [cos(angle), sin(angle)]
        }
        _ = try catalog.addDictionary(
            DictionaryRecord(
                runID: train, languageModelID: model, name: name, architecture: .route, dModel: 2,
                latentCount: latents, k: 1, layers: [0, 1], aggregation: .sum, routing: .hard, fidelity: .corrected,
                activationThreshold: 0.5, relativeThreshold: 0.25, configJSON: "{}", trainedTokenCount: 10),
            tensors: [
                DictionaryTensor(name: "decoder", shape: [latents, 2], values: weights),
                DictionaryTensor(name: "encoder", shape: [latents, 2], values: weights),
                DictionaryTensor(name: "router", shape: [2, 2], values: [1, 0, 0, 1]),
                DictionaryTensor(name: "pre_bias", shape: [2], values: [0, 1]),
                DictionaryTensor(name: "latent_bias", shape: [latents], values: Array(repeating: 0, count: latents)),
            ])
        try catalog.finishRun(train, status: .complete)
        let run = try catalog.beginRun(kind: .index, config: "{}", seed: nil)
        try catalog.writeIndex(
            IndexingRecord(
                key: key, runID: run, tokenCount: 1200, documentCount: 1, window: words.count,
                histogramEdges: [0, 1, 2, 3, 40])
        ) { writer in
            for feature in 0..<latents { try writer.write(entry(feature, passage: passages[0])) }
            writer.write(layerRouting: [
                LayerRoutingRecord(layer: 0, tokenCount: 900, meanRouterWeight: 0.75),
                LayerRoutingRecord(layer: 1, tokenCount: 300, meanRouterWeight: 0.25),
            ])
        }
        try catalog.finishRun(run, status: .complete)
        try judge(catalog, run)
        try catalog.finishRun(
            try catalog.beginRun(kind: .score, config: "{}", seed: nil), status: .failed, error: script)
        try catalog.close()
    }

    /// Every tenth feature is dead.
    private static func entry(_ feature: Int, passage: Int64) -> FeatureEntry {
        guard feature % 10 != 9 else {
            return FeatureEntry(
                record: FeatureRecord(
                    featureIndex: feature, firedCount: 0, sumActivation: 0, sumSquare: 0, minActivation: nil,
                    maxActivation: nil, quantiles: nil, decoderNorm: 1, documentCount: 0, histogram: []))
        }
        let most = Float(3 + feature)
        var activations = strongest
        activations[2] = most
        return FeatureEntry(
            record: FeatureRecord(
                featureIndex: feature, firedCount: 3, sumActivation: Double(most) + 2.25, sumSquare: 2000,
                minActivation: 0.75, maxActivation: most,
                quantiles: .init(p10: 0.75, p50: 1.5, p90: most, p99: most), decoderNorm: 1, documentCount: 1,
                histogram: [1, 1, 0, 1]),
            layers: [
                FeatureLayerRecord(
                    featureIndex: feature, layer: 0, firedCount: 2, sumActivation: Double(most) + 1.5,
                    maxActivation: most, sumRouterWeight: 1),
                FeatureLayerRecord(
                    featureIndex: feature, layer: 1, firedCount: 1, sumActivation: 0.75, maxActivation: 0.75,
                    sumRouterWeight: 0.5),
            ],
            tokens: [
                FeatureTokenRecord(
                    featureIndex: feature, tokenClass: script, firedCount: 1, activation1: most, activation2: nil),
                FeatureTokenRecord(
                    featureIndex: feature, tokenClass: override, firedCount: 1, activation1: 0.75, activation2: nil),
            ],
            contexts: [
                ContextEntry(
                    band: .top, rank: 0, passageID: passage, position: 2, layer: 0, routerWeight: 0.5,
                    activation: most, split: .explain, activations: activations)
            ],
            cofirings: [CofiringRecord(otherIndex: (feature + 1) % 9, share: 0.5, lift: 2)])
    }

    /// Adds what an index of an earlier version lacks and an evaluation brings: changes of logits, L0 and KL.
    func complete() throws {
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        if let histogram = LinearHistogram(exponent: -3, firstBin: -40, counts: Array(1...90)) {
            try catalog.write(logitHistograms: [(0, histogram)], dictionaryID: 1)
        }
        try catalog.write(
            evaluations: [("l0", 12.5), ("kl", 0.25)].map { metric, value in
                EvaluationRecord(
                    runID: 2, dictionaryID: 1, metric: metric, value: value, low: value / 2, high: value * 2,
                    tokenCount: 6, corpusID: 1)
            })
        try catalog.close()
    }

    private static func judge(_ catalog: Catalog, _ run: Int64) throws {
        try catalog.write(
            logits: words.indices.map {
                FeatureLogit(
                    featureIndex: 0, direction: $0 < 6 ? .promoted : .suppressed, rank: $0 % 6, tokenID: $0,
                    value: Float(6 - $0))
            }, dictionaryID: 1)
        try catalog.write(
            neighbors: [FeatureNeighbor(featureIndex: 0, rank: 0, neighborIndex: 1, cosine: 0.5)], dictionaryID: 1)
        let explanations = try catalog.write(
            explanations: (0..<6).map {
                ExplanationRecord(
                    runID: run, dictionaryID: 1, featureIndex: $0, corpusID: 1, method: "n2g",
                    text: "kings \(script)\(attribute)\(override)", detailJSON: "{}")
            })
        try catalog.write(
            scores: explanations.enumerated().map { feature, explanation in
                ScoreRecord(
                    runID: run, dictionaryID: 1, featureIndex: feature, corpusID: 1, explanationID: explanation,
                    method: .simulation, status: feature == 5 ? .failed : .ok,
                    value: feature == 5 ? nil : 0.25 + Double(feature) / 10, baselineValue: feature == 5 ? nil : 0.125,
                    reason: feature == 5 ? script : nil, contextCount: 1, tokenCount: 4)
            })
        try catalog.write(evaluations: [
            EvaluationRecord(
                runID: run, dictionaryID: 1, metric: "explained_variance", layer: nil, value: 0.5, low: 0.4, high: 0.6,
                tokenCount: 6, corpusID: 1)
        ])
        try catalog.write(interventions: [
            InterventionRecord(
                runID: run, dictionaryID: 1, featureIndex: 0, operation: .add, strength: 2, prompt: script,
                text: attribute, kl: 0.5, detailJSON: "{}")
        ])
        try catalog.write(
            review: ReviewRecord(
                dictionaryID: 1, featureIndex: 0, explanationID: explanations[0], verdict: 5, category: .lowLevel,
                note: script, reviewer: attribute))
    }
}
