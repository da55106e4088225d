import FeatureCatalog
import Foundation
import Vocabulary

/// The smallest catalog with a row in every table that reading uses: two latents, one document.
struct TinyCatalog {
    static let digest = String(repeating: "cd", count: 32)
    static let words = ["the", " king", " said", " a", " zebra", " ran"]

    /// Makes one at `path` and closes it.
    ///
    /// - Parameter isIndexed: Whether its dictionary is indexed, explained and scored.
    @discardableResult
    static func make(at path: String, isIndexed: Bool = true) throws -> String {
        let catalog = try Catalog.create(at: path, replacing: false, software: SoftwareIdentity(version: "tiny 1"))
        let train = try catalog.beginRun(
            kind: .train, config: #"{"steps":1}"#, seed: 3,
            inputs: [RunInput(role: "model", name: "m", sha256: digest, bytes: 12)])
        try catalog.recordMetrics(runID: train, [RunMetric(step: 0, name: "loss", value: 0.5)])
        let model = try catalog.addLanguageModel(
            LanguageModelRecord(
                name: "m", architecture: "llama", layerCount: 2, dModel: 2, vocabularySize: 6, configJSON: "{}",
                sha256: digest, tokenizerSHA256: digest))
        try catalog.addTokens(
            languageModelID: model, words.enumerated().map { TokenRecord(tokenID: $0, text: $1, bytes: nil) })
        let corpus = try catalog.addCorpus(CorpusRecord(languageModelID: model, name: "c", sha256: digest))
        let documents = try catalog.addDocuments(corpusID: corpus, [document(0)])
        _ = try catalog.addPassages([passage(of: documents[0])])
        _ = try catalog.addDictionary(
            DictionaryRecord(
                runID: train, languageModelID: model, name: "main", architecture: .route, dModel: 2, latentCount: 2,
                k: 1, layers: [0, 1], aggregation: .sum, routing: .hard, fidelity: .corrected, activationThreshold: 0.5,
                relativeThreshold: 0.25, configJSON: "{}", trainedTokenCount: 10),
            tensors: [
                DictionaryTensor(name: "decoder", shape: [2, 2], values: [1, 0, 0, -1]),
                DictionaryTensor(name: "encoder", shape: [2, 2], values: [1, 0, 0.5, -1]),
                DictionaryTensor(name: "router", shape: [2, 2], values: [1, 0, 0, 1]),
                DictionaryTensor(name: "pre_bias", shape: [2], values: [0, 1]),
                DictionaryTensor(name: "latent_bias", shape: [2], values: [0, 0]),
            ])
        try catalog.finishRun(train, status: .complete)
        if isIndexed {
            let run = try catalog.beginRun(kind: .index, config: "{}", seed: nil)
            try index(catalog, run)
            try catalog.finishRun(run, status: .complete)
            try score(catalog, run)
        }
        try catalog.close()
        return path
    }

    static func document(_ ordinal: Int) -> DocumentRecord {
        DocumentRecord(ordinal: ordinal, title: "d", tokenIDs: [0, 1, 2, 3, 4, 5], sha256: digest)
    }

    static func passage(of document: Int64) -> PassageRecord {
        PassageRecord(
            documentID: document, segment: 0, firstToken: 0,
            text: PassageText(tokenBytes: words.map { Array($0.utf8) }))
    }

    static let key = IndexingKey(dictionaryID: 1, corpusID: 1)

    /// Writes the index of the one dictionary on the one corpus.
    static func index(_ catalog: Catalog, _ run: Int64, replacing: Bool = false) throws {
        let indexing = IndexingRecord(
            key: key, runID: run, tokenCount: 6, documentCount: 1, window: 4, histogramEdges: [0, 1, 4])
        try catalog.writeIndex(indexing, replacing: replacing) { writer in
            for feature in 0..<2 { try writer.write(entry(feature)) }
            writer.write(layerRouting: [
                LayerRoutingRecord(layer: 0, tokenCount: 4, meanRouterWeight: 0.5),
                LayerRoutingRecord(layer: 1, tokenCount: 2, meanRouterWeight: 0.25),
            ])
        }
    }

    private static func entry(_ feature: Int) -> FeatureEntry {
        let (one, two) = (Float(feature + 2), Float(feature + 1) / 2)
        return FeatureEntry(
            record: FeatureRecord(
                featureIndex: feature, firedCount: 3, sumActivation: 4, sumSquare: 6, minActivation: two,
                maxActivation: one, quantiles: .init(p10: two, p50: 1, p90: 1.5, p99: 2),
                decoderNorm: 1,
                documentCount: 1, histogram: [2, 1]),
            layers: [
                FeatureLayerRecord(
                    featureIndex: feature, layer: 0, firedCount: 2, sumActivation: 4 - Double(two), maxActivation: one,
                    sumRouterWeight: 1),
                FeatureLayerRecord(
                    featureIndex: feature, layer: 1, firedCount: 1, sumActivation: Double(two), maxActivation: two,
                    sumRouterWeight: 0.5),
            ],
            tokens: [
                FeatureTokenRecord(
                    featureIndex: feature, tokenClass: "king", firedCount: 3, activation1: one, activation2: two)
            ],
            linearHistogram: LinearHistogram(
                exponent: -6, firstBin: Int(two * 64),
                counts: [2] + Array(repeating: 0, count: Int((one - two) * 64) - 1) + [1]),
            contexts: [
                ContextEntry(
                    band: .top, rank: 0, passageID: 1, position: 1, layer: 0, routerWeight: 0.5, activation: one,
                    split: .explain, activations: [0, one, 0, 0]),
                ContextEntry(
                    band: .quiet, rank: 0, passageID: 1, position: 4, layer: 1, routerWeight: nil, activation: 0,
                    split: nil, activations: [0, two, 0, 0]),
            ],
            cofirings: [CofiringRecord(otherIndex: 1 - feature, share: 0.5, lift: 1)])
    }

    private static func score(_ catalog: Catalog, _ run: Int64) throws {
        try catalog.write(
            logits: [FeatureLogit(featureIndex: 0, direction: .promoted, rank: 0, tokenID: 1, value: 0.5)],
            dictionaryID: 1)
        if let histogram = LinearHistogram(exponent: -8, firstBin: 127, counts: [5, 1]) {
            try catalog.write(logitHistograms: [(0, histogram)], dictionaryID: 1)
        }
        try catalog.write(
            neighbors: [FeatureNeighbor(featureIndex: 0, rank: 0, neighborIndex: 1, cosine: 0.5)], dictionaryID: 1)
        let explanations = try catalog.write(explanations: [
            ExplanationRecord(
                runID: run, dictionaryID: 1, featureIndex: 0, corpusID: 1, method: "n2g", text: "kings",
                detailJSON: "{}")
        ])
        try catalog.write(scores: [
            ScoreRecord(
                runID: run, dictionaryID: 1, featureIndex: 0, corpusID: 1, explanationID: explanations[0],
                method: .simulation, status: .ok, value: 0.25, baselineValue: 0.125, contextCount: 1, tokenCount: 4,
                detailJSON: #"{"tokens":[0,1,0,0]}"#)
        ])
        try catalog.write(evaluations: [
            EvaluationRecord(
                runID: run, dictionaryID: 1, metric: "explained_variance", layer: 0, value: 0.5, tokenCount: 6)
        ])
        try catalog.write(interventions: [
            InterventionRecord(
                runID: run, dictionaryID: 1, featureIndex: 0, operation: .add, strength: 2, prompt: "the",
                text: " king",
                kl: 0.5, detailJSON: "{}")
        ])
        try catalog.write(
            review: ReviewRecord(
                dictionaryID: 1, featureIndex: 0, explanationID: explanations[0], verdict: 5, category: .lowLevel,
                note: "yes"))
        try catalog.write(
            exchange: ExchangeRecord(
                endpoint: "http://127.0.0.1/v1", llm: "m", request: Array("{}".utf8), reply: Array("[1]".utf8),
                promptTokenCount: 3, completionTokenCount: nil))
    }
}
